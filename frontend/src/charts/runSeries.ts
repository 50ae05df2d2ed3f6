/** From the curves of a run to those of a chart. */

import { lowerBound } from "../lib/sorted";
import type { Curve } from "../live/curves";
import type { LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import { xValues } from "./axes";
import type { CurveSeries } from "./curve";
import type { ChartLine, ChartSpec } from "./specs";

const COLOURS = 6;

export const lineColour = ({ colour }: ChartLine): string =>
  `var(--series-${(colour % COLOURS) + 1})`;

/** Optional columns of a series, absent where the curve has none. */
function bandOf({ low, high, counts }: Curve): Partial<CurveSeries> {
  return { ...(low && high ? { low, high } : {}), ...(counts ? { counts } : {}) };
}

function crossesOf(curve: Curve, x: readonly number[]): CurveSeries["nonFinite"] {
  const places = Object.entries(curve.nonFinite ?? {});
  if (places.length === 0) return undefined;
  return places.map(([step, name]) => {
    const at = lowerBound(curve.steps, Number(step));
    return { x: curve.steps === x ? Number(step) : (x[at] ?? x.at(-1) ?? 0), name };
  });
}

function seriesOf(line: ChartLine, spec: ChartSpec, state: LiveState, axis: XAxis): CurveSeries[] {
  const curve = state.curves[line.metric];
  if (!curve) return [];
  const x = xValues(curve, axis, state);
  const nonFinite = crossesOf(curve, x);
  return [
    {
      id: line.metric,
      label: line.label,
      colour: lineColour(line),
      x,
      y: curve.values,
      ...bandOf(curve),
      ...(nonFinite ? { nonFinite } : {}),
      ...(spec.stacked ? { stacked: true } : {}),
      ...(spec.markers ? { markers: true } : {}),
      ...(spec.exact ? { exact: true } : {}),
    },
  ];
}

const attemptOf = ({ attempt }: LiveState) => `attempt ${attempt}`;

/** What a chart shows of a run; earlier attempts come first, below, and pale. */
export function runSeries(
  spec: ChartSpec,
  state: LiveState,
  axis: XAxis,
  earlier: readonly LiveState[] = [],
): CurveSeries[] {
  const before = spec.stacked
    ? []
    : earlier.flatMap((past) =>
        spec.lines.flatMap((line) =>
          seriesOf(line, spec, past, axis).map((one) => ({
            ...one,
            id: `${one.id} ${past.attempt}`,
            label: `${spec.lines.length > 1 ? `${one.label}, ` : ""}${attemptOf(past)}`,
            faint: true,
          })),
        ),
      );
  const now = spec.lines.flatMap((line) => seriesOf(line, spec, state, axis));
  // Beside others of its kind, a curve that the title names already is told by its attempt.
  const told = before.length > 0 && spec.lines.length === 1;
  return [...before, ...now.map((one) => (told ? { ...one, label: attemptOf(state) } : one))];
}
