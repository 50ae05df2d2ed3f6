/** Where everything stands on a chart of some size. Lengths are CSS pixels. */
import type { ChartView, Pin, Range } from "./curve";
import { domain, extent, type Layer, logX } from "./layers";
import { type Tick, xTicks, yTicks } from "./ticks";

/** What a chart shows, apart from its size. */
export interface ChartModel {
  readonly layers: readonly Layer[];
  readonly view: ChartView;
  readonly pins: readonly Pin[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly fromZero: boolean;
  readonly bytes: boolean;
  /** How ticks of the vertical axis read; absent: as short as they can. */
  readonly tick?: ((value: number) => string) | undefined;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly range: Range;
  readonly toX: (value: number) => number;
  readonly toY: (value: number) => number;
  readonly fromX: (pixel: number) => number;
  readonly xTicks: readonly Tick[];
  readonly yTicks: readonly Tick[];
}

export const TEXT_SIZE = 11;
const TOP = 8;
const RIGHT = 14;
const LABEL = 17;
const GAP = 6;
const X_SPACE = 76;
const Y_SPACE = 36;
/** Charts of a column begin at the same place as long as their ticks are this narrow. */
const NARROWEST = 34;

export const domainOf = ({ layers, view }: ChartModel): Range =>
  domain(
    layers.map((layer) => layer.series),
    logX(view),
  );

export const isLog = ({ layers, view }: ChartModel): boolean =>
  view.log && !layers.some((layer) => layer.base);

/** `measure` gives a text's width. */
export function frameOf(
  model: ChartModel,
  size: { width: number; height: number },
  range: Range,
  measure: (text: string) => number,
): Frame {
  const { view, layers, fromZero, bytes, tick } = model;
  const log = isLog(model);
  const stacked = layers.some((layer) => layer.base);
  const tall = extent(layers, range, { log, clip: view.clip, fromZero: fromZero || stacked });
  const bottom = size.height - (view.xKind === "date" ? 32 : 19) - LABEL;
  const most = Math.max(2, Math.floor((bottom - TOP) / Y_SPACE));
  const vertical = yTicks(tall, { log, most, bytes, text: tick });
  const widest = Math.max(NARROWEST, ...vertical.map(({ text }) => measure(text)));
  const left = Math.ceil(LABEL + widest + GAP);
  const right = size.width - RIGHT;
  const room = Math.max(2, Math.floor((right - left) / X_SPACE));
  return {
    ...size,
    left,
    top: TOP,
    right,
    bottom,
    range,
    toX: place(range, left, right, logX(view)),
    toY: place(tall, bottom, TOP, log),
    fromX: unplace(range, left, right, logX(view)),
    xTicks: xTicks(range, view.xKind, { log: logX(view), most: room }),
    yTicks: vertical,
  };
}

/** From values to pixels; on a logarithmic axis what is not positive has no place. */
export function place([low, high]: Range, start: number, end: number, log: boolean) {
  const length = end - start;
  if (!log) return (value: number) => start + ((value - low) / (high - low)) * length;
  const [a, b] = [Math.log(low), Math.log(high)];
  return (value: number) =>
    value > 0 ? start + ((Math.log(value) - a) / (b - a)) * length : Number.NaN;
}

function unplace([low, high]: Range, start: number, end: number, log: boolean) {
  const share = (pixel: number) => (pixel - start) / (end - start);
  if (!log) return (pixel: number) => low + share(pixel) * (high - low);
  return (pixel: number) => low * (high / low) ** share(pixel);
}
