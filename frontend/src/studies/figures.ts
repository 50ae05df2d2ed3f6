/** Figures of studies in words, the same as `unisd study show` prints, and scales to draw them. */
import { UNKNOWN } from "../lib/format";
import type { Effect, Interval } from "./api";

const MINUS = "\u2212";

/** Significant digits without idle zeros, as C's `%g` has them. */
export function general(value: number, digits: number): string {
  if (value === 0) return "0";
  const [mantissa = "", exponent = "0"] = value.toExponential(digits - 1).split("e");
  const power = Number(exponent);
  if (power < -4 || power >= digits) {
    return `${plain(mantissa)}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return plain(value.toFixed(Math.max(0, digits - 1 - power)));
}

const plain = (text: string): string => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

export function estimate(interval: Interval, signed = false): string {
  if (interval.estimate === null) return UNKNOWN;
  const sign = signed && interval.estimate >= 0 ? "+" : "";
  return `${sign}${general(interval.estimate, 4)}`.replaceAll("-", MINUS);
}

/** Half of a symmetric interval; null where there is none. */
export function halfWidth(interval: Interval): string | null {
  if (interval.estimate === null || interval.high == null) return null;
  return `±\u202f${general(interval.high - interval.estimate, 2).replaceAll("-", MINUS)}`;
}

/** `0.52 ± 0.03 (n=3)` */
export function withInterval(interval: Interval, signed = false): string {
  if (interval.estimate === null) return UNKNOWN;
  const half = halfWidth(interval);
  return `${estimate(interval, signed)}${half ? ` ${half}` : ""} (n=${interval.n})`;
}

export const namedLevels = (levels: Record<string, string>): string =>
  Object.entries(levels)
    .map(([factor, level]) => `${factor}=${level}`)
    .join(", ");

/** What one must know beside an effect's number. */
export function effectNote(effect: Effect): string {
  const additive = effect.assumes_additive ? "takes the factors to add up" : "";
  return [effect.interval.note, additive].filter(Boolean).join("; ");
}

export interface Scale {
  low: number;
  high: number;
  ticks: number[];
  /** Decimals that tell the ticks apart. */
  decimals: number;
}

const TICKS = 4;

/** Round limits around all estimates and intervals; null where there is nothing to draw. */
export function scaleOf(
  intervals: readonly Interval[],
  include: readonly number[] = [],
): Scale | null {
  const found = intervals.flatMap((one) =>
    [one.estimate, one.low, one.high].filter((value): value is number => value != null),
  );
  if (found.length === 0) return null;
  let low = Math.min(...found, ...include);
  let high = Math.max(...found, ...include);
  if (low === high) {
    const pad = Math.abs(low) * 0.1 || 1;
    low -= pad;
    high += pad;
  }
  const step = niceStep((high - low) / TICKS);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) =>
    Number(((first + i) * step).toFixed(Math.min(20, decimals))),
  );
  return { low: ticks[0] ?? low, high: ticks.at(-1) ?? high, ticks, decimals };
}

function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  const size = rough / power;
  return (size <= 1 ? 1 : size <= 2 ? 2 : size <= 5 ? 5 : 10) * power;
}

export function tickText(tick: number, scale: Scale): string {
  const text =
    scale.decimals > 6 && tick !== 0
      ? tick.toExponential(1)
      : tick.toFixed(Math.min(6, scale.decimals));
  return (tick === 0 && scale.decimals > 6 ? "0" : text).replaceAll("-", MINUS);
}

/** Place on a scale, 0 to 1. */
export const place = (value: number, scale: Scale): number =>
  (value - scale.low) / (scale.high - scale.low);
