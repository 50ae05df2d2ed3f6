/** From series to what is drawn: smoothed, stacked, with its extents. */
import { smooth } from "../lib/smoothing";
import { lowerBound, nearest } from "../lib/sorted";
import type { ChartView, CurveSeries, Range } from "./curve";

export interface Layer {
  readonly series: CurveSeries;
  /** The line: smoothed where that is asked for, raised where it is stacked. */
  readonly y: readonly (number | null)[];
  /** What stands behind a smoothed line. */
  readonly raw: readonly (number | null)[] | null;
  /** Lower edge of a stacked area. */
  readonly base: readonly number[] | null;
}

export function layers(series: readonly CurveSeries[], smoothing: number): Layer[] {
  let below: Layer | null = null;
  return series.map((one) => {
    const averaged = smoothing > 0 && !one.markers && !one.exact;
    const y = averaged ? smooth(one.y, smoothing, one.counts) : one.y;
    if (!one.stacked) {
      return { series: one, y, raw: averaged ? one.y : null, base: null };
    }
    const base = foundation(below, one.x);
    below = { series: one, y: y.map((v, i) => sum(v, base[i])), raw: null, base };
    return below;
  });
}

const sum = (value: number | null, base: number | undefined) =>
  value === null ? null : value + (base ?? 0);

/** The top of what lies below, at these x. */
function foundation(below: Layer | null, x: readonly number[]): number[] {
  if (!below) return x.map(() => 0);
  const { series, y } = below;
  const same = series.x === x || (series.x.length === x.length && series.x[0] === x[0]);
  return x.map((value, i) => y[same ? i : nearest(series.x, value)] ?? 0);
}

/** First and one past the last point of a range, with a neighbour on either side. */
export function visible(x: readonly number[], range: Range): [number, number] {
  const first = lowerBound(x, range[0]);
  let end = lowerBound(x, range[1]);
  while (x[end] === range[1]) end += 1;
  return [Math.max(0, first - 1), Math.min(x.length, end + 1)];
}

/** The whole horizontal axis. */
export function domain(series: readonly CurveSeries[], log: boolean): Range {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const { x } of series) {
    const first = x[log ? lowerBound(x, Number.MIN_VALUE) : 0];
    const last = x.at(-1);
    if (first === undefined || last === undefined) continue;
    low = Math.min(low, first);
    high = Math.max(high, last);
  }
  if (low > high) return log ? [1, 10] : [0, 1];
  if (low === high) return log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  return [low, high];
}

interface ExtentOptions {
  readonly log: boolean;
  readonly clip: boolean;
  /** Zero is always in sight. */
  readonly fromZero: boolean;
}

/** Share of the values at either end that an axis without outliers may leave out. */
const TAIL = 0.02;

/** What the vertical axis shows of the layers within a range of x. */
export function extent(drawn: readonly Layer[], range: Range, options: ExtentOptions): Range {
  const { log, clip } = options;
  const values: number[] = [];
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const take = (value: number | null | undefined) => {
    if (value === null || value === undefined || (log && value <= 0)) return;
    if (clip) values.push(value);
    if (value < low) low = value;
    if (value > high) high = value;
  };
  for (const { series, y, raw, base } of drawn) {
    const [first, end] = visible(series.x, range);
    // The neighbours outside of the range draw the line to its edge, and count where points are few.
    const many = end - first > 4;
    const from = many && (series.x[first] ?? 0) < range[0] ? first + 1 : first;
    const to = many && (series.x[end - 1] ?? 0) > range[1] ? end - 1 : end;
    for (let i = from; i < to; i += 1) {
      take(y[i]);
      if (raw) take(raw[i]);
      if (base) take(base[i]);
      if (!clip && !base) {
        take(series.low?.[i]);
        take(series.high?.[i]);
      }
    }
  }
  if (clip && values.length > 20) [low, high] = middle(values);
  return padded(low, high, options);
}

function middle(values: number[]): Range {
  values.sort((a, b) => a - b);
  const cut = Math.floor(values.length * TAIL);
  return [values[cut] ?? 0, values[values.length - 1 - cut] ?? 0];
}

function padded(low: number, high: number, { log, fromZero }: ExtentOptions): Range {
  if (low > high) return log ? [0.1, 10] : [0, 1];
  if (log) {
    const air = low === high ? 2 : (high / low) ** 0.06;
    return [low / air, high * air];
  }
  // What differs by rounding alone is a level line.
  const even = high - low <= 1e-9 * Math.max(Math.abs(low), Math.abs(high));
  const air = even ? Math.abs(high) * 0.1 || 1 : (high - low) * 0.06;
  const zero = fromZero && low >= 0;
  return [zero ? 0 : low - air, high + air];
}

/** The value of a series at an x: of its nearest point, unless that lies far outside. */
export function reading(layer: Layer, x: number | null): { at: number; value: number | null } {
  const { series } = layer;
  const at = x === null ? lastKnown(layer) : nearest(series.x, x);
  const value = (layer.base ? series.y : layer.y)[at] ?? null;
  return { at, value };
}

/** The curve whose points the crosshair goes along: one in sight, and no earlier attempt if possible. */
export function leading(drawn: readonly Layer[], [low, high]: Range): Layer | undefined {
  const inSight = drawn.filter(({ series: { x } }) => (x[lowerBound(x, low)] ?? high + 1) <= high);
  return inSight.find((layer) => !layer.series.faint) ?? inSight[0] ?? drawn[0];
}

/** The newest point that has a value. */
function lastKnown({ y }: Layer): number {
  for (let i = y.length - 1; i >= 0; i -= 1) if (y[i] !== null) return i;
  return y.length - 1;
}

export const logX = (view: ChartView): boolean => view.logX && view.xKind !== "date";
