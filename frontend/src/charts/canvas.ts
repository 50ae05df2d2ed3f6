/** Painting on a canvas. */
import { type Frame, TEXT_SIZE } from "./frame";
import type { Painter } from "./paint";

const FONT = '"Inter Variable", system-ui, sans-serif';

/** Corners of a triangle: a line drawn at all three looks as thick whichever way it runs. */
const CORNERS = [
  [0, -1],
  [0.866, 0.5],
  [-0.866, 0.5],
] as const;
/** How far apart, for each pixel of width beyond the first. */
const APART = 0.6;
/** Wider lines of hairs would have gaps. */
const WIDEST = 2;

/**
 * `colour` turns a token of the design into a colour; `ratio` is the screen's pixels for each of CSS.
 *
 * Where there is no GPU, a line of one pixel costs a tenth of a wider one, whose every corner is an
 * area to fill. So a wider line of very many corners is drawn as three thin ones, closely together.
 */
export function canvasPainter(
  ctx: CanvasRenderingContext2D,
  colour: (css: string) => string,
  ratio = 1,
): Painter {
  ctx.lineJoin = "round";
  const hairs = (path: Path2D, width: number) => {
    ctx.lineWidth = 1 / ratio;
    const radius = ((width * ratio - 1) * APART) / ratio;
    for (const [x, y] of CORNERS) {
      ctx.translate(x * radius, y * radius);
      ctx.stroke(path);
      ctx.translate(-x * radius, -y * radius);
    }
  };
  return {
    grain: 1 / ratio,
    stroke(style, build) {
      const path = new Path2D();
      build(path);
      const device = style.width * ratio;
      ctx.globalAlpha = style.opacity ?? 1;
      ctx.strokeStyle = colour(style.colour);
      ctx.lineWidth = style.width;
      ctx.setLineDash(style.dash ? style.dash.split(" ").map(Number) : []);
      if (style.rugged && device > 1 && device <= WIDEST) hairs(path, style.width);
      else ctx.stroke(path);
    },
    fill(style, build) {
      const path = new Path2D();
      build(path);
      ctx.globalAlpha = style.opacity ?? 1;
      ctx.fillStyle = colour(style.colour);
      ctx.fill(path);
    },
    text(words, x, y, style) {
      ctx.globalAlpha = 1;
      ctx.fillStyle = colour(style.colour);
      ctx.font = `${style.bold ? "600 " : ""}${style.size ?? TEXT_SIZE}px ${FONT}`;
      ctx.textAlign = style.align;
      ctx.textBaseline = "middle";
      if (!style.upright) {
        ctx.fillText(words, x, y);
        return;
      }
      ctx.save();
      ctx.translate(x, y);
      ctx.rotate(-Math.PI / 2);
      ctx.fillText(words, 0, 0);
      ctx.restore();
    },
    clipped({ left, top, right, bottom }: Frame, draw) {
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top - 2, right - left + 1, bottom - top + 3);
      ctx.clip();
      draw();
      ctx.restore();
    },
  };
}

let ruler: CanvasRenderingContext2D | null = null;
const widths = new Map<string, number>();

/** Width of a text of an axis; an estimate where there is no canvas. */
export function measure(text: string): number {
  const known = widths.get(text);
  if (known !== undefined) return known;
  ruler ??= document.createElement("canvas").getContext("2d");
  if (!ruler) return text.length * TEXT_SIZE * 0.6;
  ruler.font = `${TEXT_SIZE}px ${FONT}`;
  const { width } = ruler.measureText(text);
  if (widths.size > 2000) widths.clear();
  widths.set(text, width);
  return width;
}
