/** Figures out of an evaluation's summary, whose parts differ from task to task. */
import type { Evaluation } from "../api/types";

/** A number at a path of the summary, or null where this task has none. */
export function figure(evaluation: Evaluation, ...path: string[]): number | null {
  let value: unknown = evaluation.summary;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return null;
    value = (value as Record<string, unknown>)[name];
  }
  return typeof value === "number" ? value : null;
}

/** A 95 % interval of a rate in words, or null where there is none. */
export function interval(evaluation: Evaluation, name: string): string | null {
  const found = evaluation.intervals[name];
  if (found?.low == null || found.high == null) return null;
  const whole = (share: number) => Math.round(share * 100);
  return `${whole(found.low)}–${whole(found.high)}`;
}

/** Reasons for which questions were left out, and how many. */
export function dropped(evaluation: Evaluation): [string, number][] {
  const given = evaluation.summary.dropped;
  if (typeof given !== "object" || given === null) return [];
  return Object.entries(given).filter((entry): entry is [string, number] => {
    return typeof entry[1] === "number" && entry[1] > 0;
  });
}
