import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { client, unwrap } from "../api/client";
import { trajectoryQuery } from "../api/queries";
import type { FollowedRollout, RunDetail, TrajectoryDetail } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { IconButton, Skeleton, Switch } from "../components/ui";
import { integer, number } from "../lib/format";
import { useKeys } from "../lib/hooks";
import type { TrajectoriesProps } from "./TrajectoriesTab";

const WordDiff = lazy(() => import("./WordDiff"));

interface FollowedProps {
  run: RunDetail;
  item: TrajectoryDetail;
  onSearch: TrajectoriesProps["onSearch"];
}

/** The same pinned example at every step at which it was sampled. */
export function Followed({ run, item, onSearch }: FollowedProps) {
  const [compares, setCompares] = useState(false);
  const query = { record_id: item.record_id, pinned: true, attempt: item.attempt };
  const { data } = useQuery({
    queryKey: ["run", run.id, "trajectories", "example", query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/example", {
          params: { path: { run_id: run.id }, query },
          signal,
        }),
      ),
  });
  const same = data?.items ?? [];
  const at = same.findIndex((other) => other.id === item.id);
  // The chosen token and the colours stay: they are what one follows.
  const go = (other: FollowedRollout | undefined) => {
    if (other) onSearch({ trajectory: other.id });
  };
  useKeys({ "[": () => go(same[at - 1]), "]": () => go(same[at + 1]) });
  if (same.length < 2 || at < 0) return null;
  const before = same[at - 1];
  return (
    <section aria-label="This example through training" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5">
        <h2 className="shrink-0 font-medium">This example through training</h2>
        <span className="flex min-w-48 flex-1 items-center gap-1">
          <IconButton label="Earlier step ([)" disabled={at === 0} onClick={() => go(before)}>
            <ChevronLeft className="size-4" />
          </IconButton>
          <input
            type="range"
            aria-label="Step"
            aria-valuetext={`Step ${item.step}`}
            min={0}
            max={same.length - 1}
            value={at}
            onChange={(event) => go(same[Number(event.target.value)])}
            className="min-w-24 flex-1"
          />
          <IconButton
            label="Later step (])"
            disabled={at === same.length - 1}
            onClick={() => go(same[at + 1])}
          >
            <ChevronRight className="size-4" />
          </IconButton>
        </span>
        <span className="shrink-0 text-sm tabular-nums">
          step {integer(item.step)} of {integer(same.at(-1)?.step)}
        </span>
        <Switch checked={compares} onChange={setCompares}>
          Changes since the recording before
        </Switch>
      </div>
      <div className="flex flex-wrap gap-x-8 gap-y-1 border-line border-t px-3 py-1.5">
        <Course label="Mean divergence" items={same} at={at} of={(one) => one.divergence} />
        <Course label="Mean disagreement" items={same} at={at} of={(one) => one.disagreement} />
        <Course label="Mean weight" items={same} at={at} of={(one) => one.weight} />
        <Course label="Tokens" items={same} at={at} of={(one) => one.tokens} say={integer} />
        <Grades items={same} at={at} />
      </div>
      {compares && (
        <div className="border-line border-t">
          {before ? (
            <Changes runId={run.id} before={before} item={item} />
          ) : (
            <p className="p-3 text-muted">This is the first recording of the example.</p>
          )}
        </div>
      )}
    </section>
  );
}

interface CourseProps {
  label: string;
  items: readonly FollowedRollout[];
  at: number;
  of: (item: FollowedRollout) => number | null;
  say?: (value: number | null | undefined) => string;
}

/** A number over all recordings, now and at the first. */
function Course({ label, items, at, of, say = (value) => number(value, 3) }: CourseProps) {
  const values = items.map(of);
  if (values.every((value) => value === null)) return null;
  return (
    <span className="flex items-center gap-2 text-sm tabular-nums">
      <span className="text-muted">{label}</span>
      <span>{say(values[at])}</span>
      {at > 0 && <span className="text-faint">from {say(values[0])}</span>}
      <Sparkline values={values} label={`${label} over all recordings`} />
    </span>
  );
}

const MARKS = { right: "●", wrong: "○", unknown: "–" } as const;

const gradeOf = ({ grade }: FollowedRollout): keyof typeof MARKS =>
  grade === null ? "unknown" : grade === 1 ? "right" : "wrong";

/** The latest so many grades. */
const SHOWN = 40;

function Grades({ items, at }: Pick<CourseProps, "items" | "at">) {
  if (items.every(({ grade }) => grade === null)) return null;
  const start = Math.max(0, Math.min(at - SHOWN / 2, items.length - SHOWN));
  const shown = items.slice(start, start + SHOWN);
  return (
    <span className="flex items-center gap-2 text-sm">
      <span className="text-muted">Grade</span>
      <span>{gradeOf(items[at] as FollowedRollout)}</span>
      <span
        role="img"
        aria-label={`Right in ${items.filter((one) => one.grade === 1).length} of ${items.length} recordings`}
        className="tracking-wider"
      >
        {shown.map((one, i) => (
          <span
            key={one.id}
            className={start + i === at ? "text-accent-text" : "text-muted"}
            title={`step ${one.step}: ${gradeOf(one)}`}
          >
            {MARKS[gradeOf(one)]}
          </span>
        ))}
      </span>
    </span>
  );
}

interface ChangesProps {
  runId: string;
  before: FollowedRollout;
  item: TrajectoryDetail;
}

function Changes({ runId, before, item }: ChangesProps) {
  const { data } = useQuery(trajectoryQuery(runId, before.id));
  if (!data) return <Skeleton className="m-3 h-16" />;
  return (
    <Suspense fallback={<Skeleton className="m-3 h-16" />}>
      <WordDiff before={data.completion} after={item.completion} />
    </Suspense>
  );
}
