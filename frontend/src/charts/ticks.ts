/** Where ticks fall on an axis, and how they read. */
import { ticks as evenTicks } from "d3-array";
import { timeTicks } from "d3-time";
import type { Range, XKind } from "./curve";

export interface Tick {
  readonly value: number;
  readonly text: string;
}

export interface TickOptions {
  readonly log: boolean;
  /** How many at most, roughly. */
  readonly most: number;
}

const MINUS = "\u2212";
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 12 });

/** A number among others that are `step` apart: no more digits than tell them apart. */
export function plainTick(value: number, step: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6) return scaled(value, step);
  if (size < 1e-4 || step < 1e-5) return exponent(value, step);
  const digits = Math.min(8, digitsFor(step));
  const text = size >= 10_000 ? grouped.format(value) : value.toFixed(digits);
  return text.replace("-", MINUS);
}

const digitsFor = (step: number) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

const SCALES: [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
];

function scaled(value: number, step: number): string {
  const [unit, name] = SCALES.find(([size]) => Math.abs(value) >= size) ?? [1e6, "M"];
  const text = (value / unit).toFixed(Math.min(6, digitsFor(step / unit)));
  return `${text} ${name}`.replace("-", MINUS);
}

function exponent(value: number, step: number): string {
  const power = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const digits = Math.max(0, power - Math.floor(Math.log10(step) + 1e-9));
  const text = value.toExponential(Math.min(6, digits));
  return text.replace("e+", "e").replaceAll("-", MINUS);
}

/** Seconds between the ticks of a span of time. */
const SPANS = [
  0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600,
  43_200, 86_400, 172_800, 432_000, 864_000, 1_728_000, 4_320_000, 8_640_000,
];

/** A span of time in its two largest units. */
export function spanTick(seconds: number): string {
  const size = Math.abs(seconds);
  const parts = [
    [Math.floor(size / 86_400), "d"],
    [Math.floor((size % 86_400) / 3600), "h"],
    [Math.floor((size % 3600) / 60), "m"],
    [Number((size % 60).toFixed(1)), "s"],
  ].filter(([count]) => count);
  const text = parts.slice(0, 2).map(([count, unit]) => `${count} ${unit}`);
  return text.length ? (seconds < 0 ? MINUS : "") + text.join(" ") : "0";
}

const two = (n: number) => String(n).padStart(2, "0");

/** A moment in seconds since the epoch, to the second, in local time. */
export function momentText(moment: number): string {
  const date = new Date(moment * 1000);
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${dayText(date)}, ${clock}`;
}

const dayText = (date: Date) =>
  date.toLocaleDateString("en-GB", { day: "numeric", month: "short" });

function dateTicks([low, high]: Range, most: number): Tick[] {
  const moments = timeTicks(new Date(low * 1000), new Date(high * 1000), most);
  const step = stepOf(moments.map((date) => date.getTime() / 1000));
  let before = "";
  return moments.map((date) => {
    const day = dayText(date);
    const first = day !== before;
    before = day;
    return { value: date.getTime() / 1000, text: dateText(date, day, first, step) };
  });
}

/** The time of day, and under the first of a day which day that is. */
function dateText(date: Date, day: string, first: boolean, step: number): string {
  if (step >= 86_400) return day;
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const time = step < 60 ? `${clock}:${two(date.getSeconds())}` : clock;
  return first ? `${time}\n${day}` : time;
}

function multiples([low, high]: Range, step: number): number[] {
  const found: number[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high * (1 + 1e-12); i += 1) {
    found.push(Number((i * step).toPrecision(12)));
  }
  return found;
}

/** The smallest of some steps that makes no more ticks than there is room for. */
function fitting([low, high]: Range, most: number, steps: readonly number[]): number {
  return steps.find((step) => (high - low) / step <= most) ?? steps.at(-1) ?? 1;
}

const POWERS_OF_TWO = Array.from({ length: 60 }, (_, i) => 2 ** i);

/** Decades, with 2 and 5 between them where there is room. */
export function logTicks([low, high]: Range, most: number): number[] {
  const decades = Math.log10(high / low);
  if (decades < 1) return evenTicks(low, high, most);
  const factors = decades * 3 <= most + 1 ? [1, 2, 5] : [1];
  const stride = Math.max(1, Math.ceil(decades / most));
  const found: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1) {
    if (power % stride !== 0) continue;
    for (const factor of factors) {
      const tick = Number(`${factor}e${power}`);
      if (tick >= low && tick <= high) found.push(tick);
    }
  }
  return found;
}

/** The least distance between neighbours. */
export function stepOf(values: readonly number[]): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 1; i < values.length; i += 1) {
    least = Math.min(least, Math.abs((values[i] ?? 0) - (values[i - 1] ?? 0)));
  }
  return Number.isFinite(least) ? least : Math.abs(values[0] ?? 1) || 1;
}

export function xTicks(range: Range, kind: XKind, { log, most }: TickOptions): Tick[] {
  if (kind === "date") return dateTicks(range, most);
  if (kind === "seconds") {
    const values = log ? logTicks(range, most) : multiples(range, fitting(range, most, SPANS));
    return values.map((value) => ({ value, text: spanTick(value) }));
  }
  const whole = kind === "step" && range[1] - range[0] < most;
  const values = whole ? multiples(range, 1) : log ? logTicks(range, most) : even(range, most);
  return values.map((value) => ({ value, text: plainTick(value, stepFor(value, values, log)) }));
}

const even = ([low, high]: Range, most: number) => evenTicks(low, high, most);

const stepFor = (value: number, values: readonly number[], log: boolean) =>
  log ? Math.min(Math.abs(value) || 1, stepOf(values) * 1e9) : stepOf(values);

interface YOptions extends TickOptions {
  /** Ticks at powers of two. */
  readonly bytes: boolean;
  readonly text: ((value: number) => string) | undefined;
}

export function yTicks(range: Range, { log, most, bytes, text }: YOptions): Tick[] {
  const values = log
    ? logTicks(range, most)
    : bytes
      ? multiples(range, fitting(range, most, POWERS_OF_TWO))
      : even(range, most);
  return values.map((value) => ({
    value,
    text: text?.(value) ?? plainTick(value, stepFor(value, values, log)),
  }));
}
