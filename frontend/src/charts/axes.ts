/** Horizontal axes of a run's curves. */
import type { Curve } from "../live/curves";
import type { LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import type { XKind } from "./curve";

export const X_LABELS: Record<XAxis, string> = {
  step: "Step",
  tokens: "Completion tokens",
  epoch: "Epoch",
  time: "Time since the start of the attempt",
  wall: "Date and time",
};

export const X_KINDS: Record<XAxis, XKind> = {
  step: "step",
  tokens: "number",
  epoch: "number",
  time: "seconds",
  wall: "date",
};

/** Metrics that count along with the steps. */
const COUNTERS: Partial<Record<XAxis, string>> = { tokens: "train/tokens", epoch: "train/epoch" };

/** Whether a run can be drawn over an axis: older runs did not report their epochs. */
export const hasAxis = (axis: XAxis, names: readonly string[]): boolean => {
  const metric = COUNTERS[axis];
  return metric === undefined || names.includes(metric);
};

/** A column over others by linear interpolation, from zero at zero: reduced curves need not share steps. */
export function interpolated(
  at: readonly number[],
  known: readonly number[],
  values: readonly (number | null)[],
): number[] {
  let i = 0;
  return at.map((place) => {
    while (i < known.length - 1 && (known[i + 1] ?? 0) <= place) i += 1;
    const before = place < (known[0] ?? 0);
    const left = before ? 0 : (known[i] ?? 0);
    const from = before ? 0 : (values[i] ?? 0);
    const right = before ? known[0] : known[i + 1];
    const to = before ? values[0] : values[i + 1];
    if (right === undefined || typeof to !== "number" || right === left) return from;
    return from + ((place - left) / (right - left)) * (to - from);
  });
}

export function startOf(state: LiveState): number {
  return Object.values(state.curves).reduce(
    (least, curve) => Math.min(least, curve.times[0] ?? least),
    Number.POSITIVE_INFINITY,
  );
}

/** Where each point of a curve stands on an axis. */
export function xValues(curve: Curve, axis: XAxis, state: LiveState): readonly number[] {
  if (axis === "step") return curve.steps;
  if (axis === "wall") return curve.times;
  if (axis === "time") {
    const start = startOf(state);
    return curve.times.map((time) => time - start);
  }
  return alongCounter(curve.steps, axis, state);
}

function alongCounter(steps: readonly number[], axis: XAxis, state: LiveState): readonly number[] {
  const counter = state.curves[COUNTERS[axis] ?? ""];
  return counter ? interpolated(steps, counter.steps, counter.values) : steps;
}

/** Steps on any axis, for what is known by its step alone. */
export function stepsOn(
  steps: readonly number[],
  axis: XAxis,
  state: LiveState,
): readonly number[] {
  if (axis === "step") return steps;
  if (axis === "tokens" || axis === "epoch") return alongCounter(steps, axis, state);
  const [longest] = Object.values(state.curves).sort((a, b) => b.steps.length - a.steps.length);
  if (!longest) return steps;
  const times = timesAt(steps, longest);
  if (axis === "wall") return times;
  const start = startOf(state);
  return times.map((time) => time - start);
}

/** When each step was done; those before the first and after the last count as these. */
function timesAt(steps: readonly number[], { steps: known, times }: Curve): number[] {
  const first = times[0] ?? 0;
  const beginning = known[0] ?? 0;
  return steps.map((step) => {
    if (step <= beginning) return first;
    const [value] = interpolated(
      [step - beginning],
      known.map((k) => k - beginning),
      times.map((t) => t - first),
    );
    return first + (value ?? 0);
  });
}

/** The step at a place of an axis, to ask the server for a range; between points it is a guess. */
export function stepAt(place: number, axis: XAxis, state: LiveState): number {
  if (axis === "step") return place;
  const [longest] = Object.values(state.curves).sort((a, b) => b.steps.length - a.steps.length);
  if (!longest) return 0;
  const x = xValues(longest, axis, state);
  const first = x[0] ?? 0;
  const [step] = interpolated(
    [place - first],
    x.map((value) => value - first),
    longest.steps,
  );
  return step ?? 0;
}
