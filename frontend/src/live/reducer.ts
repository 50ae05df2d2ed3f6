/**
 * The series of one attempt as they grow. Events carry a cursor that only rises; one that was
 * already counted changes nothing, whichever of page load, stream and reconnection brought it.
 */
import type { LogLine, MetricSeries, RunEvent } from "../api/types";
import { addPoint, type Curve, curveOf, thinned } from "./curves";

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
  for (const series of metrics.items) {
    curves[series.name] = curveOf(series);
    const last = series.steps.at(-1);
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

/** Log lines that a page keeps; older ones are asked for again where someone wants them. */
const LOG_LINES = 2000;
const LOG_CHARACTERS = 1_000_000;

/** Counts one event in; the same state when it was counted before. */
export function receive(state: LiveState, event: RunEvent): LiveState {
  if (event.cursor <= state.cursor) return state;
  let next: LiveState = { ...state, cursor: event.cursor };
  if (event.attempt !== null && event.attempt > (state.attempt ?? 0)) {
    next = { ...next, attempt: event.attempt, curves: {}, step: null, totalSteps: null };
  }
  if (event.kind === "log" || event.kind === "output")
    return { ...next, logs: bounded([...next.logs, logLine(event)]) };
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
    curves[name] = thinned({ ...curve, nonFinite: marked(curves[name], step, value, raw) });
  }
  return {
    ...state,
    curves,
    step: Math.max(step, state.step ?? 0),
    totalSteps: typeof total === "number" ? total : state.totalSteps,
  };
}

/** Beyond so many, one more says nothing new. */
const MOST_MARKS = 500;

/** The names of values that are no numbers, with that of a new point. */
function marked(curve: Curve | undefined, step: number, value: number | null, raw: unknown) {
  const before = curve?.nonFinite ?? {};
  if (value === null) {
    const name = typeof raw === "string" ? raw : "NaN";
    return Object.keys(before).length < MOST_MARKS ? { ...before, [step]: name } : before;
  }
  if (!(step in before)) return before;
  const { [step]: _, ...rest } = before;
  return rest;
}

/** Of many lines the newest half, so that this is not done with every line. */
function bounded(lines: LogLine[]): LogLine[] {
  const characters = lines.reduce((sum, line) => sum + line.message.length, 0);
  if (lines.length <= LOG_LINES && characters <= LOG_CHARACTERS) return lines;
  return lines.slice(Math.ceil(lines.length / 2));
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
