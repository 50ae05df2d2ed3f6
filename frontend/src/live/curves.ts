/** One metric of one attempt, as it grows; never longer than what a chart can show. */
import type { Series } from "../api/types";
import { lowerBound } from "../lib/sorted";

export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
  readonly times: readonly number[];
  /** What the values that are no numbers were, by step. */
  readonly nonFinite?: Readonly<Record<number, string>>;
  /** Points that were measured; more than are here where several stand in one bucket. */
  readonly points: number;
  /** Least and greatest of what each point stands for; absent where each is one measurement. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** How many measurements that are. */
  readonly counts?: readonly number[];
}

export function curveOf({ steps, values, times, points, ...series }: Series): Curve {
  const { low, high, counts } = series;
  return {
    steps,
    values,
    times,
    points,
    nonFinite: Object.fromEntries(series.non_finite.map((one) => [one.step, one.value])),
    ...(low && high && counts ? { low, high, counts } : {}),
  };
}

/** Adds a point in its place: steps stay sorted, a step that is there is replaced. */
export function addPoint(
  curve: Curve | undefined,
  step: number,
  value: number | null,
  time: number,
): Curve {
  if (!curve) return { steps: [step], values: [value], times: [time], points: 1 };
  let at = curve.steps.length;
  while (at > 0 && (curve.steps[at - 1] ?? 0) > step) at -= 1;
  const replaces = at > 0 && curve.steps[at - 1] === step;
  if (replaces) at -= 1;
  const cut = replaces ? 1 : 0;
  const { low, high, counts } = curve;
  return {
    steps: curve.steps.toSpliced(at, cut, step),
    values: curve.values.toSpliced(at, cut, value),
    times: curve.times.toSpliced(at, cut, time),
    points: curve.points + 1 - cut,
    ...(low && high && counts
      ? {
          low: low.toSpliced(at, cut, value),
          high: high.toSpliced(at, cut, value),
          counts: counts.toSpliced(at, cut, 1),
        }
      : {}),
  };
}

/** Points of a curve at most; beyond them neighbours become one. */
export const MOST_POINTS = 4000;

/** A curve of bounded length: two neighbours each become one, which keeps their extremes. */
export function thinned(curve: Curve): Curve {
  return curve.steps.length > MOST_POINTS ? halved(curve) : curve;
}

function halved(curve: Curve): Curve {
  const { steps, values, times, low = values, high = values, counts } = curve;
  const made = {
    steps: [] as number[],
    values: [] as (number | null)[],
    times: [] as number[],
    low: [] as (number | null)[],
    high: [] as (number | null)[],
    counts: [] as number[],
  };
  for (let i = 0; i < steps.length; i += 2) {
    const last = Math.min(i + 1, steps.length - 1);
    const here = counts?.[i] ?? 1;
    const next = last > i ? (counts?.[last] ?? 1) : 0;
    made.steps.push(steps[last] ?? 0);
    made.times.push(times[last] ?? 0);
    made.counts.push(here + next);
    made.values.push(mean(values[i], here, next ? values[last] : null, next));
    made.low.push(either(low[i], low[last], Math.min));
    made.high.push(either(high[i], high[last], Math.max));
  }
  return { ...curve, ...made };
}

type Maybe = number | null | undefined;

function mean(a: Maybe, countA: number, b: Maybe, countB: number): number | null {
  if (a === null || a === undefined) return b ?? null;
  if (b === null || b === undefined) return a;
  return (a * countA + b * countB) / (countA + countB);
}

function either(a: Maybe, b: Maybe, pick: (a: number, b: number) => number): number | null {
  if (a === null || a === undefined) return b ?? null;
  return b === null || b === undefined ? a : pick(a, b);
}

/** A curve with a stretch of it in more detail; what grew since then goes on after it. */
export function spliced(curve: Curve, detail: Curve): Curve {
  const first = detail.steps[0];
  const last = detail.steps.at(-1);
  if (first === undefined || last === undefined) return curve;
  const start = lowerBound(curve.steps, first);
  const end = lowerBound(curve.steps, last + 1);
  // The bucket after the stretch may begin within it: part of it then shows twice, none is missing.
  const joined = <T>(column: readonly T[], fine: readonly T[]): T[] => [
    ...column.slice(0, start),
    ...fine,
    ...column.slice(end),
  ];
  const bands = (one: Curve) => ({
    low: one.low ?? one.values,
    high: one.high ?? one.values,
    counts: one.counts ?? one.steps.map(() => 1),
  });
  const [coarse, fine] = [bands(curve), bands(detail)];
  return {
    points: curve.points,
    nonFinite: { ...curve.nonFinite, ...detail.nonFinite },
    steps: joined(curve.steps, detail.steps),
    values: joined(curve.values, detail.values),
    times: joined(curve.times, detail.times),
    low: joined(coarse.low, fine.low),
    high: joined(coarse.high, fine.high),
    counts: joined(coarse.counts, fine.counts),
  };
}
