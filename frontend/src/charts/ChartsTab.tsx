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
import { hasAxis, X_KINDS } from "./axes";
import { ChartControls } from "./ChartControls";
import type { ChartView, Range } from "./curve";
import { arranged, COLUMNS, HEIGHTS, useLayout } from "./layout";
import { RunChart } from "./RunChart";
import { chartGroups } from "./specs";
import { useEarlier, useGpus } from "./useCurves";

interface ChartsTabProps {
  run: RunDetail;
  live: Snapshot;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
}

export function ChartsTab(props: ChartsTabProps) {
  const { run, live, search } = props;
  const past = search.attempt !== undefined && search.attempt !== live.attempt;
  const chosen = useAttempt(run.id, past ? search.attempt : undefined);
  const state = useGpus(run, past ? chosen : live);
  if (live.connection === "failed" && live.error) return <Failure error={live.error} />;
  if (live.connection === "loading" || !state) return <ChartsSkeleton />;
  return <Charts {...props} state={state} />;
}

function Charts({ run, live, search, onSearch, state }: ChartsTabProps & { state: LiveState }) {
  const layout = useLayout();
  const names = Object.keys(state.curves).sort().join("\n");
  const groups = useMemo(() => chartGroups(names ? names.split("\n") : []), [names]);
  const wanted = search.x ?? "step";
  // A link may ask for what this run did not report.
  const axis = hasAxis(wanted, names.split("\n")) ? wanted : "step";
  const view = useView(search, axis);
  const earlier = useEarlier(run, state.attempt, !search.alone);
  const onRange = (range: Range | null) =>
    onSearch({ from: tidy(range?.[0]), to: tidy(range?.[1]) });
  return (
    <div className="flex flex-col gap-5 px-4 py-4 md:px-6">
      <Alarms run={run} />
      {(groups.length > 0 || run.attempt > 1) && (
        <ChartControls
          search={search}
          onSearch={onSearch}
          run={run}
          current={live.attempt}
          groups={groups}
          names={names}
        />
      )}
      {groups.length === 0 && <NoMetrics run={run} />}
      {groups.map((group) => {
        const charts = arranged(group, layout);
        if (charts.length === 0) return null;
        return (
          <section key={group.title} aria-label={group.title}>
            <h2 className="mb-2 font-medium text-muted text-sm">{group.title}</h2>
            <div className={`grid gap-3 ${COLUMNS[layout.size]} print:grid-cols-2`}>
              {charts.map((spec) => (
                <RunChart
                  key={spec.id}
                  run={run}
                  spec={spec}
                  group={group}
                  state={state}
                  earlier={earlier}
                  axis={axis}
                  view={view}
                  onRange={onRange}
                  enlarged={search.chart === spec.id}
                  onEnlarge={(on) => onSearch({ chart: on ? spec.id : undefined })}
                />
              ))}
            </div>
          </section>
        );
      })}
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

/** As high as what comes, so that nothing jumps. */
function ChartsSkeleton() {
  const { size } = useLayout();
  return (
    <div role="status" aria-label="Loading the charts" className="px-4 pt-[88px] pb-4 md:px-6">
      <div className={`grid gap-3 ${COLUMNS[size]}`}>
        {Array.from({ length: 6 }, (_, i) => (
          <div key={i} style={{ height: HEIGHTS[size] + 38 }} className="grid">
            <Skeleton className="h-full" />
          </div>
        ))}
      </div>
    </div>
  );
}
