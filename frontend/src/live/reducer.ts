/**
 * The series of one attempt as they grow. Events carry a cursor that only rises; one that was
 * already counted changes nothing, whichever of page load, stream and reconnection brought it.
 */
import type { LogLine, MetricSeries, RunEvent } from "../api/types";

export interface Curve {
  readonly steps: readonly number[];
  readonly values: readonly (number | null)[];
  readonly times: readonly number[];
  /** Least and greatest of what each point stands for; absent where each is one measurement. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  readonly counts?: readonly number[];
  /** What the values that are no numbers were, by step. */
  readonly nonFinite?: Readonly<Record<number, string>>;
  /** Points that were measured; more than are here when the server reduced them. */
  readonly points: number;
}

export interface LiveState {
  readonly attempt: number | null;
  /** Number of the latest event that came by the stream. */
  readonly cursor: number;
  /** Number of the event up to which the API's series were complete when they were asked for. */
  readonly seriesCursor: number;
  readonly curves: Readonly<Record<string, Curve>>;
  readonly step: number | null;
  readonly totalSteps: number | null;
  readonly logs: readonly LogLine[];
}

export const EMPTY: LiveState = {
  attempt: null,
  cursor: 0,
  seriesCursor: 0,
  curves: {},
  step: null,
  totalSteps: null,
  logs: [],
};

/**
 * Starts over from the series that the API gave, then counts in the events that came meanwhile.
 * The stream's own place stays: what it has yet to bring besides metrics must not be skipped.
 */
export function load(
  state: LiveState,
  metrics: MetricSeries,
  missed: readonly RunEvent[] = [],
): LiveState {
  const curves: Record<string, Curve> = {};
  let step: number | null = null;
  for (const { name, steps, values, times, points, non_finite } of metrics.items) {
    const nonFinite = Object.fromEntries(non_finite.map((one) => [one.step, one.value]));
    curves[name] = { steps, values, times, points, nonFinite };
    const last = steps.at(-1);
    if (last !== undefined && (step === null || last > step)) step = last;
  }
  const loaded: LiveState = {
    ...state,
    attempt: metrics.attempt,
    cursor: state.cursor || metrics.cursor,
    seriesCursor: metrics.cursor,
    curves,
    step,
  };
  return missed.reduce(addMetrics, loaded);
}

/** Counts one event in; the same state when it was counted before. */
export function receive(state: LiveState, event: RunEvent): LiveState {
  if (event.cursor <= state.cursor) return state;
  let next: LiveState = { ...state, cursor: event.cursor };
  if (event.attempt !== null && event.attempt > (state.attempt ?? 0)) {
    next = { ...next, attempt: event.attempt, curves: {}, step: null, totalSteps: null };
  }
  if (event.kind === "log" || event.kind === "output")
    return { ...next, logs: [...next.logs, logLine(event)] };
  return addMetrics(next, event);
}

function addMetrics(state: LiveState, event: RunEvent): LiveState {
  if (event.kind !== "metrics" || event.cursor <= state.seriesCursor) return state;
  if (event.attempt !== null && event.attempt < (state.attempt ?? 0)) return state;
  const { step, total_steps: total, values } = event.payload;
  if (typeof step !== "number" || typeof values !== "object" || values === null) return state;
  const curves = { ...state.curves };
  for (const [name, raw] of Object.entries(values)) {
    const value = typeof raw === "number" && Number.isFinite(raw) ? raw : null;
    const curve = addPoint(curves[name], step, value, event.time);
    curves[name] = { ...curve, nonFinite: marked(curves[name], step, value, raw) };
  }
  return {
    ...state,
    curves,
    step: Math.max(step, state.step ?? 0),
    totalSteps: typeof total === "number" ? total : state.totalSteps,
  };
}

/** Adds a point in its place: steps stay sorted, a step that is there is replaced. */
function addPoint(
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
  return {
    steps: curve.steps.toSpliced(at, cut, step),
    values: curve.values.toSpliced(at, cut, value),
    times: curve.times.toSpliced(at, cut, time),
    points: curve.points + 1 - cut,
  };
}

/** The names of values that are no numbers, with that of a new point. */
function marked(curve: Curve | undefined, step: number, value: number | null, raw: unknown) {
  const before = curve?.nonFinite ?? {};
  if (value === null) return { ...before, [step]: typeof raw === "string" ? raw : "NaN" };
  if (!(step in before)) return before;
  const { [step]: _, ...rest } = before;
  return rest;
}

const LEVELS = ["debug", "info", "warning", "error"] as const;

function logLine(event: RunEvent): LogLine {
  const { level, message, text } = event.payload;
  const said = event.kind === "output" ? text : message;
  return {
    cursor: event.cursor,
    attempt: event.attempt,
    time: event.time,
    source: event.kind === "output" ? "output" : "log",
    level: LEVELS.find((known) => known === level) ?? "info",
    message: typeof said === "string" ? said : "",
  };
}

/** Log lines from pages and stream, each once, in order. */
export function mergeLogs(...parts: readonly (readonly LogLine[])[]): LogLine[] {
  const byCursor = new Map<number, LogLine>();
  for (const part of parts) for (const line of part) byCursor.set(line.cursor, line);
  return [...byCursor.values()].sort((a, b) => a.cursor - b.cursor);
}
