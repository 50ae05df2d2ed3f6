import { useQuery } from "@tanstack/react-query";
import { trajectoriesQuery } from "../api/queries";
import { isActive, type RunDetail, type TrajectorySummary } from "../api/types";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { Skeleton, Switch } from "../components/ui";
import { plural } from "../lib/format";
import { type RunSearch, TRAJECTORY_SORTS, type TrajectorySort } from "../searches";
import { Reader } from "./Reader";
import { TrajectoryTable } from "./TrajectoryTable";

const PAGE_SIZE = 50;

const SORTS: Record<TrajectorySort, string> = {
  "-step": "Latest step first",
  step: "First step first",
  "-divergence": "Most divergent first",
  divergence: "Least divergent first",
  "-tokens": "Longest first",
  tokens: "Shortest first",
};

export interface TrajectoriesProps {
  run: RunDetail;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

export function TrajectoriesTab(props: TrajectoriesProps) {
  return props.search.trajectory === undefined ? <List {...props} /> : <Reader {...props} />;
}

function List({ run, search, onSearch }: TrajectoriesProps) {
  const page = search.page ?? 1;
  const sort = search.sort ?? "-step";
  const list = useQuery(
    trajectoriesQuery(run.id, {
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      sort,
      ...(search.pinned ? { pinned: true } : {}),
      ...(search.q ? { q: search.q } : {}),
    }),
  );
  const filtered = Boolean(search.q || search.pinned);
  const open = (item: TrajectorySummary) =>
    onSearch({ trajectory: item.id, token: undefined }, true);

  if (list.error && !list.data) {
    return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (list.data?.total === 0 && !filtered) return <NoTrajectories run={run} />;
  return (
    <>
      <div className="flex flex-wrap items-center gap-3 px-4 py-2.5 md:px-6">
        <NameSearch
          label="Search prompts and completions"
          placeholder="Search the texts"
          value={search.q ?? ""}
          onChange={(q) => onSearch({ q: q || undefined, page: undefined })}
        />
        <select
          aria-label="Order"
          value={sort}
          onChange={(event) => {
            const next = TRAJECTORY_SORTS.find((item) => item === event.target.value);
            onSearch({ sort: next === "-step" ? undefined : next, page: undefined });
          }}
          className="control"
        >
          {TRAJECTORY_SORTS.map((item) => (
            <option key={item} value={item}>
              {SORTS[item]}
            </option>
          ))}
        </select>
        <Switch
          checked={search.pinned ?? false}
          onChange={(pinned) => onSearch({ pinned: pinned || undefined, page: undefined })}
        >
          Pinned only
        </Switch>
        <span className="ml-auto text-faint text-sm" aria-live="polite">
          {list.data && plural(list.data.total, "trajectory", "trajectories")}
        </span>
      </div>
      {!list.data && <Skeleton className="mx-6 h-96" />}
      {list.data?.total === 0 && (
        <Empty title="No trajectory matches">Loosen the search or the filter.</Empty>
      )}
      {list.data && list.data.total > 0 && (
        <TrajectoryTable items={list.data.items} attempts={run.attempts.length} onOpen={open} />
      )}
      {list.data && list.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={list.data.total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </>
  );
}

function NoTrajectories({ run }: { run: RunDetail }) {
  const recording = "recording" in run.config ? run.config.recording : undefined;
  const off = recording?.trajectories_per_step === 0 && recording.pinned_examples === 0;
  if (off) {
    return (
      <Empty title="Recording is off">
        Set <code className="font-mono text-sm">recording.trajectories_per_step</code> above 0 in
        the next run to read what the student wrote, token by token.
      </Empty>
    );
  }
  return (
    <Empty title="No trajectory recorded">
      {isActive(run.status)
        ? "The first ones appear here with the first recorded step."
        : "The run ended before its first recorded step."}
    </Empty>
  );
}
