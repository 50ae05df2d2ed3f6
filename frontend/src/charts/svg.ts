/** A chart as an SVG picture, drawn by the same hand as on the screen. */
import { measure } from "./canvas";
import type { Range } from "./curve";
import { type ChartModel, domainOf, type Frame, frameOf, TEXT_SIZE } from "./frame";
import { type Painter, paint, type Words } from "./paint";
import { SvgPath } from "./paths";

const FONT = "Inter, 'Inter Variable', system-ui, sans-serif";
const PAD = 12;
const TITLE = 24;
const LEGEND_ROW = 18;
/** A picture is looked at closer than the screen. */
const GRAIN = 0.5;

export interface Picture {
  readonly title: string;
  readonly model: ChartModel;
  readonly width: number;
  readonly height: number;
  readonly range?: Range;
  readonly colour: (css: string) => string;
}

/** A whole document: title, legend where there are several curves, and the plot. */
export function svgOf({ title, model, width, height, range, colour }: Picture): string {
  const legend = legendRows(model, width - 2 * PAD);
  const above = PAD + TITLE + legend.length * LEGEND_ROW;
  const size = { width: width - 2 * PAD, height: height - above - PAD };
  const frame = frameOf(model, size, range ?? model.view.range ?? domainOf(model), measure);
  const body: string[] = [];
  const painter = svgPainter(body, colour);
  paint(painter, model, frame);
  const heading: Words = { colour: "var(--text)", align: "left", size: 13, bold: true };
  const head: string[] = [];
  const writer = svgPainter(head, colour);
  writer.text(title, PAD, PAD + 8, heading);
  for (const [i, row] of legend.entries()) legendRow(writer, row, PAD + TITLE + i * LEGEND_ROW);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="${FONT}">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="${colour("var(--surface)")}"/>`,
    ...head,
    `<g transform="translate(${PAD} ${above})">`,
    ...body,
    "</g></svg>",
  ].join("\n");
}

interface Entry {
  readonly label: string;
  readonly colour: string;
  readonly x: number;
}

/** Rows of a legend; none where a single curve is named by the title. */
function legendRows({ layers }: ChartModel, width: number): Entry[][] {
  if (layers.length < 2) return [];
  const rows: Entry[][] = [[]];
  let x = PAD;
  for (const { series } of layers) {
    const needs = 30 + measure(series.label);
    if (x + needs > width && rows.at(-1)?.length) {
      rows.push([]);
      x = PAD;
    }
    rows.at(-1)?.push({ label: series.label, colour: series.colour, x });
    x += needs;
  }
  return rows;
}

function legendRow(painter: Painter, row: readonly Entry[], y: number): void {
  for (const { label, colour, x } of row) {
    painter.stroke({ colour, width: 2 }, (sink) => {
      sink.moveTo(x, y);
      sink.lineTo(x + 12, y);
    });
    painter.text(label, x + 17, y, { colour: "var(--text-muted)", align: "left" });
  }
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign] ?? sign);
const ANCHORS = { left: "start", center: "middle", right: "end" } as const;
let clips = 0;

function svgPainter(out: string[], colour: (css: string) => string): Painter {
  return {
    grain: GRAIN,
    stroke(style, build) {
      const path = new SvgPath();
      build(path);
      const dash = style.dash ? ` stroke-dasharray="${style.dash}"` : "";
      out.push(
        `<path d="${path}" fill="none" stroke="${colour(style.colour)}" stroke-width="${style.width}" stroke-opacity="${style.opacity ?? 1}" stroke-linejoin="round"${dash}/>`,
      );
    },
    fill(style, build) {
      const path = new SvgPath();
      build(path);
      out.push(
        `<path d="${path}" fill="${colour(style.colour)}" fill-opacity="${style.opacity ?? 1}"/>`,
      );
    },
    text(words, x, y, style) {
      const turn = style.upright ? ` transform="rotate(-90 ${x.toFixed(1)} ${y.toFixed(1)})"` : "";
      const weight = style.bold ? ' font-weight="600"' : "";
      out.push(
        `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" dy="0.35em" font-size="${style.size ?? TEXT_SIZE}"${weight} fill="${colour(style.colour)}" text-anchor="${ANCHORS[style.align]}"${turn}>${escaped(words)}</text>`,
      );
    },
    clipped({ left, top, right, bottom }: Frame, draw) {
      clips += 1;
      const id = `plot-${clips}`;
      out.push(
        `<clipPath id="${id}"><rect x="${left}" y="${top - 2}" width="${right - left + 1}" height="${bottom - top + 3}"/></clipPath>`,
        `<g clip-path="url(#${id})">`,
      );
      draw();
      out.push("</g>");
    },
  };
}
