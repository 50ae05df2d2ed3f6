/** Painting of the map of views and tokens. */
import { bisectRight } from "d3-array";
import type { Theme } from "../lib/theme";
import { paint, type Scale } from "./colours";
import { type Place, shownOf } from "./cursor";

export const ROW = 18;
/** Height of the tokens' texts above the rows. */
export const HEAD = 24;

const FONT = '12px "JetBrains Mono Variable", ui-monospace, monospace';
const LEAST = 14;
const MOST = 140;
const GAP = 6;

export interface MapData {
  texts: readonly string[];
  /** One row a view. */
  rows: readonly (readonly (number | null)[])[];
  scale: Scale;
}

let ruler: CanvasRenderingContext2D | null = null;

/** Left edges of all columns, each as wide as its token's text, and the end of the last. */
export function columnsOf(texts: readonly string[]): number[] {
  ruler ??= document.createElement("canvas").getContext("2d");
  if (ruler) ruler.font = FONT;
  const sign = ruler?.measureText("0").width ?? 7;
  const edges = [0];
  for (const text of texts) {
    const plain = /^[\x20-\x7e]*$/.test(text);
    const width = plain ? text.length * sign : (ruler?.measureText(text).width ?? 0);
    edges.push((edges.at(-1) ?? 0) + Math.round(Math.min(MOST, Math.max(LEAST, width + GAP))));
  }
  return edges;
}

export function columnAt(edges: readonly number[], x: number): number | null {
  const index = bisectRight(edges, x) - 1;
  return index >= 0 && index < edges.length - 1 ? index : null;
}

interface Scene {
  data: MapData;
  columns: readonly number[];
  theme: Theme;
  left: number;
  place: Place;
}

/** Draws the columns in sight. */
export function drawMap(sheet: HTMLCanvasElement, scene: Scene): void {
  const { data, columns, theme, left, place } = scene;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [sheet.clientWidth, sheet.clientHeight];
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (sheet.width !== across) sheet.width = across;
  if (sheet.height !== down) sheet.height = down;
  const ctx = sheet.getContext("2d");
  if (!ctx) return;
  const style = getComputedStyle(sheet);
  const colour = (name: string) => style.getPropertyValue(name);
  const [ink, muted, accent] = [colour("--text"), colour("--text-muted"), colour("--accent")];
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.translate(-left, 0);
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  const shown = shownOf(place);
  const first = Math.max(0, bisectRight(columns, left) - 1);
  for (let i = first; i < data.texts.length; i += 1) {
    const [start, end] = [columns[i] ?? 0, columns[i + 1] ?? 0];
    if (start > left + width) break;
    ctx.fillStyle = i === shown || i === place.chosen ? ink : muted;
    ctx.fillText(fitted(data.texts[i] ?? "", end - start), start + GAP / 2, HEAD / 2);
    data.rows.forEach((row, line) => {
      const look = paint(row[i] ?? null, data.scale, theme);
      if (!look) return;
      ctx.fillStyle = look.background;
      ctx.fillRect(start, HEAD + line * ROW, end - start - 1, ROW - 1);
    });
  }
  const frame = (index: number | null, thick: number) => {
    if (index === null) return;
    const [start, end] = [columns[index] ?? 0, columns[index + 1] ?? 0];
    ctx.strokeStyle = accent;
    ctx.lineWidth = thick;
    ctx.strokeRect(start, 1.5, end - start - 1, height - 3);
  };
  frame(place.hovered, 1);
  frame(place.chosen, 2);
}

/** A long text loses its end. */
function fitted(text: string, width: number): string {
  const room = Math.floor((width - GAP) / 7);
  return width < MOST || text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}
