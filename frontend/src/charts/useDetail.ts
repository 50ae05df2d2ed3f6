import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { fetchMetrics } from "../api/queries";
import { type Curve, curveOf, spliced } from "../live/curves";
import type { LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import { stepAt } from "./axes";
import type { ChartView, Range } from "./curve";
import type { ChartSpec } from "./specs";

/** Steps that a range shows, and as many again on either side, so that a pan finds them there. */
export function stepsAround(range: Range, axis: XAxis, state: LiveState): Range {
  const first = stepAt(range[0], axis, state);
  const last = stepAt(range[1], axis, state);
  const air = last - first;
  return [Math.max(0, Math.floor(first - air)), Math.ceil(last + air)];
}

/** Whether a bucket of more than one measurement is in sight. */
export function isCoarse({ steps, counts }: Curve, [from, to]: Range): boolean {
  return counts?.some((count, i) => count > 1 && inSight(steps, i, from, to)) ?? false;
}

const inSight = (steps: readonly number[], i: number, from: number, to: number) =>
  (steps[i] ?? 0) >= from && (steps[i - 1] ?? 0) <= to;

/**
 * The curves of a chart, in more detail where it is zoomed: the server then gives as many buckets
 * for the part in sight as it gave for the whole.
 */
export function useDetail(
  runId: string,
  spec: ChartSpec,
  state: LiveState,
  axis: XAxis,
  view: ChartView,
  seen: boolean,
): LiveState {
  const { range } = view;
  // Of a run that grows, steps at given places of an axis stay where they are.
  const [from, to] = range ? stepsAround(range, axis, state) : [0, 0];
  const metrics = spec.lines.map((line) => line.metric).filter((name) => state.curves[name]);
  const coarse = metrics.some((name) => {
    const curve = state.curves[name];
    return curve !== undefined && isCoarse(curve, [from, to]);
  });
  const wanted = seen && range !== null && coarse && state.attempt !== null;
  const { data } = useQuery({
    queryKey: ["run", runId, "metrics", state.attempt, metrics, from, to],
    queryFn: ({ signal }) =>
      fetchMetrics(runId, state.attempt, signal, { name: metrics, from_step: from, to_step: to }),
    enabled: wanted,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    placeholderData: keepPreviousData,
  });
  const detail = wanted && data?.attempt === state.attempt ? data : undefined;
  return useMemo(() => {
    if (!detail) return state;
    const curves = { ...state.curves };
    for (const series of detail.items) {
      const curve = curves[series.name];
      if (curve) curves[series.name] = spliced(curve, curveOf(series));
    }
    return { ...state, curves };
  }, [state, detail]);
}
