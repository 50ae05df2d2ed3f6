import { useMemo, useRef } from "react";
import type { RunDetail } from "../api/types";
import { useInView } from "../lib/hooks";
import type { LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import { X_LABELS } from "./axes";
import type { ChartAction } from "./ChartMenu";
import { CurveChart } from "./CurveChart";
import type { ChartView, Range } from "./curve";
import { HEIGHTS, hiddenToggled, moved, setLayout, useLayout, wideToggled } from "./layout";
import { pinsOf } from "./pins";
import { runSeries } from "./runSeries";
import type { ChartGroup, ChartSpec } from "./specs";
import { useDetail } from "./useDetail";

interface RunChartProps {
  run: RunDetail;
  spec: ChartSpec;
  group: ChartGroup;
  state: LiveState;
  earlier: readonly LiveState[];
  axis: XAxis;
  view: ChartView;
  onRange: (range: Range | null) => void;
  enlarged: boolean;
  onEnlarge: (enlarged: boolean) => void;
}

/** A chart of a run, with its alarms and what a person may do with its place. */
export function RunChart(props: RunChartProps) {
  const { run, spec, group, state, earlier, axis, view } = props;
  const layout = useLayout();
  const place = useRef<HTMLDivElement>(null);
  const seen = useInView(place);
  // A logarithm would mean nothing for some.
  const shown = useMemo(
    () => (spec.plain && view.log ? { ...view, log: false } : view),
    [spec, view],
  );
  const fine = useDetail(run.id, spec, state, axis, view, seen);
  const series = useMemo(() => runSeries(spec, fine, axis, earlier), [spec, fine, axis, earlier]);
  const pins = useMemo(
    () => pinsOf(spec, run.alarms, state, axis),
    [spec, run.alarms, state, axis],
  );
  const wide = layout.wide.includes(spec.id);
  const move = (by: -1 | 1) => () => setLayout(moved(layout, group, spec.id, by));
  const actions: ChartAction[] = [
    { label: "Move before", onClick: move(-1) },
    { label: "Move behind", onClick: move(1) },
    {
      label: wide ? "Half the row" : "Whole row",
      onClick: () => setLayout(wideToggled(layout, spec.id)),
    },
    { label: "Hide", onClick: () => setLayout(hiddenToggled(layout, spec.id)) },
  ];
  return (
    <div ref={place} className={`grid min-w-0 ${wide ? "col-span-full" : ""}`}>
      <CurveChart
        id={spec.id}
        title={spec.title}
        unit={spec.unit}
        xLabel={X_LABELS[axis]}
        series={series}
        view={shown}
        onRange={props.onRange}
        height={HEIGHTS[layout.size]}
        format={spec.format}
        tick={spec.tick}
        pins={pins}
        fromZero={spec.fromZero}
        bytes={spec.bytes}
        actions={actions}
        enlarged={props.enlarged}
        onEnlarge={props.onEnlarge}
      />
    </div>
  );
}
