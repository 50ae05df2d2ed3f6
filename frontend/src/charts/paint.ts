/** Draws a chart, on a canvas and as SVG by the same hand. */
import { measure } from "./canvas";
import type { Pin } from "./curve";
import { type ChartModel, type Frame, TEXT_SIZE } from "./frame";
import { type Layer, visible } from "./layers";
import { band, dots, line, type Sink, type Slice } from "./paths";

export interface Stroke {
  readonly colour: string;
  readonly width: number;
  readonly opacity?: number;
  readonly dash?: string | undefined;
  /** Of so many corners that it may be drawn in a quicker way. */
  readonly rugged?: boolean;
}

export interface Words {
  readonly colour: string;
  readonly align: "left" | "center" | "right";
  readonly size?: number;
  readonly bold?: boolean;
  /** Reads upwards. */
  readonly upright?: boolean;
}

/** A place to draw on. Texts stand with their middle at the given height. */
export interface Painter {
  /** Width of the columns within which points are told apart. */
  readonly grain: number;
  stroke(style: Stroke, build: (sink: Sink) => void): void;
  fill(style: Pick<Stroke, "colour" | "opacity">, build: (sink: Sink) => void): void;
  text(words: string, x: number, y: number, style: Words): void;
  /** What is drawn inside stays within the plot. */
  clipped(frame: Frame, draw: () => void): void;
}

const BAND = 0.16;
/** The area alone would hardly show a spike that is one column wide. */
const EDGE = 0.3;
const AREA = 0.35;
const BEHIND = 0.28;
const FAINT = 0.38;
/** Fewer points than this to a chart's width, and each is seen. */
const FEW = 24;
/** More points than this, and a line is drawn in the quicker way. */
const RUGGED = 150;

/** Answers of how many points it was. */
export function paint(painter: Painter, model: ChartModel, frame: Frame): number {
  axes(painter, model, frame);
  const drawn = model.layers.map((layer) => ({ layer, at: slice(layer, frame, painter.grain) }));
  painter.clipped(frame, () => {
    for (const { layer, at } of drawn) underlay(painter, layer, at);
    for (const { layer, at } of drawn) curve(painter, layer, at, frame);
    pins(painter, model.pins, frame);
  });
  // One on the edge would else be cut in half.
  for (const { layer, at } of drawn) points(painter, layer, at, frame);
  return drawn.reduce((sum, { layer, at }) => sum + (at.end - at.first) * columnsOf(layer), 0);
}

/** What is drawn of each point: the line, its band, the raw one behind. */
const columnsOf = ({ series, raw }: Layer) => 1 + (series.low ? 1 : 0) + (raw ? 1 : 0);

function axes(painter: Painter, { xLabel, yLabel }: ChartModel, frame: Frame): void {
  const { left, right, top, bottom, toX, toY } = frame;
  const hairline: Stroke = { colour: "var(--line)", width: 1 };
  const faint = "var(--text-faint)";
  painter.stroke(hairline, (sink) => {
    for (const { value } of frame.yTicks) rule(sink, left, right, Math.round(toY(value)) + 0.5);
    rule(sink, left, right, Math.round(bottom) + 0.5);
  });
  for (const { value, text } of frame.yTicks) {
    painter.text(text, left - 6, toY(value), { colour: faint, align: "right" });
  }
  for (const { value, text } of frame.xTicks) {
    text.split("\n").forEach((row, i) => {
      const y = bottom + 11 + i * (TEXT_SIZE + 2);
      // The last one would else be cut off.
      const half = measure(row) / 2 + 1;
      const x = Math.min(toX(value), frame.width - half);
      painter.text(row, x, y, { colour: faint, align: "center" });
    });
  }
  const middle = (left + right) / 2;
  painter.text(xLabel, middle, frame.height - 9, { colour: faint, align: "center" });
  const style: Words = { colour: faint, align: "center", upright: true };
  painter.text(yLabel, 8, (top + bottom) / 2, style);
}

function rule(sink: Sink, from: number, to: number, y: number): void {
  sink.moveTo(from, y);
  sink.lineTo(to, y);
}

function slice({ series }: Layer, { range, toX, toY }: Frame, grain: number): Slice {
  const [first, end] = visible(series.x, range);
  return { x: series.x, first, end, toX, toY, grain };
}

/** Bands and stacked areas, below every line. */
function underlay(painter: Painter, { series, y, base }: Layer, at: Slice): void {
  const { colour, low, high, faint } = series;
  if (base) painter.fill({ colour, opacity: AREA }, (sink) => band(sink, base, y, at));
  else if (low && high) {
    const pale = faint ? 0.5 : 1;
    const area = (sink: Sink) => band(sink, low, high, at);
    painter.fill({ colour, opacity: BAND * pale }, area);
    painter.stroke({ colour, width: 1, opacity: EDGE * pale }, area);
  }
}

function curve(painter: Painter, layer: Layer, at: Slice, frame: Frame): void {
  const { series, y, raw } = layer;
  const pale = series.faint ? FAINT : 1;
  const rugged = at.end - at.first > RUGGED;
  const style = { colour: series.colour, dash: series.dash, rugged };
  if (raw) {
    const behind = { ...style, width: 1, opacity: BEHIND * pale };
    painter.stroke(behind, (sink) => line(sink, raw, at));
  }
  const width = series.faint ? 1 : raw ? 1.75 : 1.5;
  painter.stroke({ ...style, width, opacity: pale }, (sink) => line(sink, y, at));
  crosses(painter, layer, at, frame);
}

function points(painter: Painter, { series, y }: Layer, at: Slice, frame: Frame): void {
  if (!series.markers && at.end - at.first >= FEW) return;
  const { left, right, top, bottom } = frame;
  const radius = series.markers ? 3 : 2;
  const opacity = series.faint ? FAINT : 1;
  painter.fill({ colour: series.colour, opacity }, (sink) =>
    dots(y, at, (px, py) => {
      const inside = px > left - 1 && px < right + 1 && py > top - 1 && py < bottom + 1;
      if (inside) octagon(sink, px, py, radius);
    }),
  );
}

function octagon(sink: Sink, x: number, y: number, radius: number): void {
  for (let i = 0; i < 8; i += 1) {
    const angle = ((i + 0.5) * Math.PI) / 4;
    const [px, py] = [x + radius * Math.cos(angle), y + radius * Math.sin(angle)];
    if (i === 0) sink.moveTo(px, py);
    else sink.lineTo(px, py);
  }
  sink.closePath();
}

/** Where a value was no number, as high as the value before it. */
function crosses(painter: Painter, { series, y }: Layer, at: Slice, frame: Frame): void {
  const marks = series.nonFinite?.filter(({ x }) => x >= frame.range[0] && x <= frame.range[1]);
  if (!marks?.length) return;
  const arm = 3.5;
  painter.stroke({ colour: series.colour, width: 1.5 }, (sink) => {
    for (const { x } of marks) {
      const [px, py] = [at.toX(x), at.toY(heightAt(series.x, y, x))];
      if (!Number.isFinite(py)) continue;
      sink.moveTo(px - arm, py - arm);
      sink.lineTo(px + arm, py + arm);
      sink.moveTo(px - arm, py + arm);
      sink.lineTo(px + arm, py - arm);
    }
  });
}

function heightAt(xs: readonly number[], y: readonly (number | null)[], x: number): number {
  let found: number | null = null;
  for (let i = 0; i < xs.length; i += 1) {
    if ((xs[i] ?? 0) > x && found !== null) break;
    found = y[i] ?? found;
  }
  return found ?? 0;
}

export const PIN_COLOURS: Record<Pin["tone"], string> = {
  warn: "var(--warn)",
  bad: "var(--bad)",
  plain: "var(--text-faint)",
};

function pins(painter: Painter, marks: readonly Pin[], frame: Frame): void {
  for (const { x, tone } of marks) {
    if (x < frame.range[0] || x > frame.range[1]) continue;
    const px = Math.round(frame.toX(x)) + 0.5;
    const style = { colour: PIN_COLOURS[tone], width: 1, dash: "3 3", opacity: 0.8 };
    painter.stroke(style, (sink) => {
      sink.moveTo(px, frame.top);
      sink.lineTo(px, frame.bottom);
    });
  }
}
