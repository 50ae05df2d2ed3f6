/** Painting on a canvas. */
import { type Frame, TEXT_SIZE } from "./frame";
import type { Painter } from "./paint";

const FONT = '"Inter Variable", system-ui, sans-serif';

/** `colour` turns a token of the design into a colour. */
export function canvasPainter(
  ctx: CanvasRenderingContext2D,
  colour: (css: string) => string,
): Painter {
  ctx.lineJoin = "round";
  return {
    stroke(style, build) {
      const path = new Path2D();
      build(path);
      ctx.globalAlpha = style.opacity ?? 1;
      ctx.strokeStyle = colour(style.colour);
      ctx.lineWidth = style.width;
      ctx.setLineDash(style.dash ? style.dash.split(" ").map(Number) : []);
      ctx.stroke(path);
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
