import { useMemo } from "react";
import type { RunDetail } from "../api/types";
import { isActive } from "../api/types";
import { Empty, Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import type { LiveState } from "../live/reducer";
import type { Snapshot } from "../live/store";
import { useAttempt } from "../live/useRun";
import { Alarms } from "../run/Alarms";
import type { RunSearch, XAxis } from "../searches";
import { X_KINDS, X_LABELS } from "./axes";
import { ChartControls } from "./ChartControls";
import { CurveChart } from "./CurveChart";
import type { ChartView, Range } from "./curve";
import { runSeries } from "./runSeries";
import { type ChartSpec, chartGroups } from "./specs";

interface ChartsTabProps {
  run: RunDetail;
  live: Snapshot;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
}

export function ChartsTab({ run, live, search, onSearch }: ChartsTabProps) {
  const past = search.attempt !== undefined && search.attempt !== live.attempt;
  const earlier = useAttempt(run.id, past ? search.attempt : undefined);
  const state: LiveState | undefined = past ? earlier : live;

  const names = Object.keys(state?.curves ?? {})
    .sort()
    .join("\n");
  const groups = useMemo(() => chartGroups(names ? names.split("\n") : []), [names]);
  const axis = search.x ?? "step";
  const view = useView(search, axis);

  if (live.connection === "failed" && live.error) return <Failure error={live.error} />;
  if (live.connection === "loading" || !state) return <ChartsSkeleton />;
  return (
    <div className="flex flex-col gap-6 px-4 py-4 md:px-6">
      <Alarms run={run} />
      <ChartControls
        search={search}
        onSearch={onSearch}
        attempts={run.attempts}
        current={live.attempt}
      />
      {groups.length === 0 && <NoMetrics run={run} />}
      {groups.map((group) => (
        <section key={group.title} aria-label={group.title}>
          <h2 className="mb-2 font-medium text-muted text-sm">{group.title}</h2>
          <div className="grid gap-3 md:grid-cols-2 2xl:grid-cols-3">
            {group.charts.map((spec) => (
              <RunChart
                key={spec.id}
                spec={spec}
                state={state}
                axis={axis}
                view={view}
                onRange={(range) => onSearch({ from: tidy(range?.[0]), to: tidy(range?.[1]) })}
              />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

function useView(search: RunSearch, axis: XAxis): ChartView {
  const { log = false, logx = false, clip = false, smooth = 0, from, to } = search;
  return useMemo(
    () => ({
      smoothing: smooth,
      log,
      logX: logx,
      xKind: X_KINDS[axis],
      range: from !== undefined && to !== undefined && from < to ? [from, to] : null,
      clip,
    }),
    [smooth, log, logx, axis, from, to, clip],
  );
}

interface RunChartProps {
  spec: ChartSpec;
  state: LiveState;
  axis: XAxis;
  view: ChartView;
  onRange: (range: Range | null) => void;
}

function RunChart({ spec, state, axis, view, onRange }: RunChartProps) {
  const series = useMemo(() => runSeries(spec, state, axis), [spec, state, axis]);
  // A logarithm would mean nothing for some.
  const shown = useMemo(
    () => (spec.plain && view.log ? { ...view, log: false } : view),
    [spec, view],
  );
  return (
    <CurveChart
      id={spec.id}
      title={spec.title}
      unit={spec.unit}
      xLabel={X_LABELS[axis]}
      series={series}
      view={shown}
      onRange={onRange}
      format={spec.format}
      tick={spec.tick}
      fromZero={spec.fromZero}
      bytes={spec.bytes}
    />
  );
}

/** A link need not carry more of a zoom than the eye can tell. */
const tidy = (value: number | undefined) =>
  value === undefined ? undefined : Number(value.toPrecision(12));

function NoMetrics({ run }: { run: RunDetail }) {
  if (!isActive(run.status)) {
    return <Empty title="No metrics">This attempt ended before its first step.</Empty>;
  }
  if (run.status === "queued") {
    return (
      <Empty title="Waiting for a worker">
        Curves appear here after the first step, without a reload.
      </Empty>
    );
  }
  return (
    <Empty title="No step done yet">
      The run is {run.phase ?? "starting"}. Curves appear here after the first step, without a
      reload.
    </Empty>
  );
}

function ChartsSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading the charts"
      className="grid gap-3 px-4 py-4 md:grid-cols-2 md:px-6 2xl:grid-cols-3"
    >
      {Array.from({ length: 6 }, (_, i) => (
        <Skeleton key={i} className="h-[254px]" />
      ))}
    </div>
  );
}
