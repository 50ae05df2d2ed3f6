/** Studies in words. */
import type { RunStatus } from "../api/types";
import { duration, integer, plural, UNKNOWN } from "../lib/format";
import { STATUSES } from "../searches";
import type { Cost, StudySummary } from "./api";

/** `2 × 2 × 2, 3 seeds` */
export function shape(study: Pick<StudySummary, "factors" | "combinations" | "seeds">): string {
  const sizes = Object.values(study.factors).map((levels) => levels.length);
  const full = sizes.reduce((product, size) => product * size, 1);
  const left = full - study.combinations;
  const grid = sizes.length > 1 ? sizes.join(" × ") : plural(full, "cell");
  const without = left > 0 ? ` − ${integer(left)}` : "";
  return `${grid}${without}, ${plural(study.seeds, "seed")}`;
}

/** `ema=off, clip=off` */
export const baselineWords = (baselines: Record<string, string>): string =>
  Object.entries(baselines)
    .map(([factor, level]) => `${factor}=${level}`)
    .join(", ") || UNKNOWN;

/** Time of all devices: hours where they are many, as one is billed for them. */
export function deviceTime(cost: Pick<Cost, "device_seconds">): string {
  const seconds = cost.device_seconds;
  if (seconds === null || seconds < 36_000) return duration(seconds);
  const hours = seconds / 3600;
  return `${hours < 100 ? hours.toFixed(1) : integer(hours)} h`;
}

/** `45.2 k`, `1.3 M`; a count is given whole on hover. */
export function tokenCount(tokens: number | null): string {
  if (tokens === null) return UNKNOWN;
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e4, "k"],
  ] as const) {
    const shown = unit === "k" ? tokens / 1e3 : tokens / size;
    if (tokens >= size) return `${shown < 99.95 ? shown.toFixed(1) : integer(shown)} ${unit}`;
  }
  return integer(tokens);
}

/** `18 succeeded, 2 running, 4 queued`: states in the order of a run's life. */
export function stateCounts(states: Partial<Record<string, number>>): string {
  const known: string[] = [...STATUSES, "deleted"];
  const names = Object.keys(states).sort((a, b) => known.indexOf(a) - known.indexOf(b));
  return names.map((name) => `${integer(states[name])} ${name}`).join(", ");
}

/** As `stateCounts`, of what is over without success and did not fail. */
export function endedWords(states: Partial<Record<string, number>>): string {
  const said = new Set<string>([...OPEN, ...FAILED, "succeeded"]);
  return stateCounts(
    Object.fromEntries(Object.entries(states).filter(([name]) => !said.has(name))),
  );
}

const OPEN: readonly RunStatus[] = ["queued", "starting", "running", "stopping"];
const FAILED: readonly RunStatus[] = ["failed", "crashed"];

const count = (states: Partial<Record<string, number>>, wanted: readonly string[]): number =>
  wanted.reduce((sum, status) => sum + (states[status] ?? 0), 0);

export const openRuns = (states: Partial<Record<string, number>>): number => count(states, OPEN);
export const failedRuns = (states: Partial<Record<string, number>>): number =>
  count(states, FAILED);

/** Runs of the plan that are over without success, those that are gone among them. */
export function unfinishedRuns(
  study: Pick<StudySummary, "runs" | "combinations" | "seeds">,
): number {
  const planned = study.combinations * study.seeds;
  return Math.max(0, planned - openRuns(study.runs) - (study.runs.succeeded ?? 0));
}
