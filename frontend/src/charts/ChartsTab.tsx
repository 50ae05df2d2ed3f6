import { useMemo } from "react";
import type { RunDetail } from "../api/types";
import { isActive } from "../api/types";
import { Empty, Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { useTheme } from "../lib/theme";
import type { LiveState } from "../live/reducer";
import type { Snapshot } from "../live/store";
import { useAttempt } from "../live/useRun";
import { Alarms } from "../run/Alarms";
import type { RunSearch } from "../searches";
import { ChartCard } from "./ChartCard";
import { ChartControls } from "./ChartControls";
import { chartGroups } from "./specs";
import { readColours, type View } from "./traces";

interface ChartsTabProps {
  run: RunDetail;
  live: Snapshot;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
}

export function ChartsTab({ run, live, search, onSearch }: ChartsTabProps) {
  const theme = useTheme();
  const past = search.attempt !== undefined && search.attempt !== live.attempt;
  const earlier = useAttempt(run.id, past ? search.attempt : undefined);
  const state: LiveState | undefined = past ? earlier : live;

  const names = Object.keys(state?.curves ?? {})
    .sort()
    .join("\n");
  const groups = useMemo(() => chartGroups(names ? names.split("\n") : []), [names]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are the theme's
  const colours = useMemo(() => readColours(), [theme]);
  const { x = "step", log = false, smooth = 0, from, to } = search;
  const view: View = useMemo(
    () => ({
      x,
      log,
      smoothing: smooth,
      range: from !== undefined && to !== undefined && from < to ? [from, to] : null,
    }),
    [x, log, smooth, from, to],
  );

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
              <ChartCard
                key={spec.id}
                spec={spec}
                state={state}
                view={view}
                colours={colours}
                onRange={(range) => onSearch({ from: tidy(range?.[0]), to: tidy(range?.[1]) })}
              />
            ))}
          </div>
        </section>
      ))}
      <Reduced state={state} />
    </div>
  );
}

/** A link need not carry more of a zoom than the eye can tell. */
const tidy = (value: number | undefined) =>
  value === undefined ? undefined : Math.round(value * 100) / 100;

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

function Reduced({ state }: { state: LiveState }) {
  const longest = Object.values(state.curves).reduce(
    (most, curve) => (curve.points > curve.steps.length + (most?.points ?? 0) ? curve : most),
    undefined as LiveState["curves"][string] | undefined,
  );
  if (!longest) return null;
  return (
    <p className="text-faint text-sm">
      {longest.steps.length.toLocaleString("en-US")} of {longest.points.toLocaleString("en-US")}{" "}
      points are drawn; buckets keep their lowest and highest, so that no spike is lost.
    </p>
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
        <Skeleton key={i} className="h-[246px]" />
      ))}
    </div>
  );
}
