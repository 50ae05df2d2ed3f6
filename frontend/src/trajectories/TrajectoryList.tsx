import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { trajectoriesQuery } from "../api/queries";
import { overviewQuery } from "../api/trajectoryQueries";
import { isActive, type RunDetail, type TrajectorySummary } from "../api/types";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { Button, Skeleton, Switch } from "../components/ui";
import { integer, plural } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { joinList, splitList } from "../lib/search";
import { ListFilters } from "./ListFilters";
import { DEFAULT_SORT, listQuery, shownSummaries } from "./summaries";
import type { TrajectoriesProps } from "./TrajectoriesTab";
import { TrajectoryTable } from "./TrajectoryTable";

const PAGE_SIZE = 50;

const KEYS = {
  title: "Trajectories",
  keys: [
    [["j", "k"], "Next, previous rollout"],
    [["Enter"], "Open it"],
    [["/"], "Search the texts"],
  ],
} as const;

/** Moves the focus along the rows' buttons; Enter then opens as on any button. */
function step(by: 1 | -1): void {
  const buttons = [...document.querySelectorAll<HTMLElement>("[data-opens]")];
  const at = buttons.indexOf(document.activeElement as HTMLElement);
  const next = at < 0 ? (by > 0 ? 0 : buttons.length - 1) : at + by;
  buttons[Math.min(Math.max(next, 0), buttons.length - 1)]?.focus();
}

export function TrajectoryList(props: TrajectoriesProps & { views: ReactNode }) {
  const { run, search, onSearch, views } = props;
  const page = search.page ?? 1;
  const sort = search.sort ?? DEFAULT_SORT;
  const filters = splitList(search.filter);
  const overview = useQuery(overviewQuery(run.id));
  const live = isActive(run.status);
  // What came while one reads waits to be asked for, so that no row moves under the pointer.
  const [until, setUntil] = useState<number | null>(null);
  const held = live && !search.follow ? until : null;
  const list = useQuery(
    trajectoriesQuery(run.id, {
      ...listQuery(search, filters),
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      ...(held === null ? {} : { up_to: held }),
    }),
  );
  const newest = list.data?.newest ?? null;
  const follows = search.follow ?? false;
  useEffect(() => {
    if (follows) setUntil(null);
    else setUntil((old) => old ?? newest);
  }, [follows, newest]);
  const narrowed = Boolean(search.q || search.pinned || filters.length);
  const columns = shownSummaries(overview.data);
  const open = (item: TrajectorySummary) =>
    onSearch({ trajectory: item.id, token: undefined }, true);
  useKeys({ j: () => step(1), k: () => step(-1) });
  useKeyHelp(KEYS);

  if (list.error && !list.data) {
    return (
      <>
        <div className="px-4 py-2.5 md:px-6">{views}</div>
        <Failure error={list.error} onRetry={() => void list.refetch()} />
        {narrowed && <Loosen onSearch={onSearch} />}
      </>
    );
  }
  if (list.data?.total === 0 && !narrowed) return <NoTrajectories run={run} />;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5 md:px-6">
        {views}
        <NameSearch
          label="Search prompts and completions"
          placeholder="Search the texts"
          value={search.q ?? ""}
          onChange={(q) => onSearch({ q: q || undefined, page: undefined })}
        />
        <ListFilters
          runId={run.id}
          shown={columns}
          filters={filters}
          onChange={(next) => onSearch({ filter: joinList(next), page: undefined })}
        />
        <Switch
          checked={search.pinned ?? false}
          onChange={(pinned) => onSearch({ pinned: pinned || undefined, page: undefined })}
        >
          Pinned only
        </Switch>
        <span className="ml-auto flex items-center gap-3">
          {live && (
            <Switch
              checked={search.follow ?? false}
              onChange={(follow) => onSearch({ follow: follow || undefined })}
            >
              Follow
            </Switch>
          )}
          {held !== null && (list.data?.newer ?? 0) > 0 && (
            <Button small variant="primary" onClick={() => setUntil(newest)}>
              {integer(list.data?.newer)} new
            </Button>
          )}
          <span className="text-faint text-sm" aria-live="polite">
            {list.data && plural(list.data.total, "trajectory", "trajectories")}
          </span>
        </span>
      </div>
      {(!list.data || !overview.data) && <Skeleton className="mx-6 h-96" />}
      {list.data?.total === 0 && (
        <Empty title="No trajectory matches" action={<Loosen onSearch={onSearch} />}>
          No rollout passes all of these filters.
        </Empty>
      )}
      {list.data && overview.data && list.data.total > 0 && (
        <TrajectoryTable
          items={list.data.items}
          columns={columns}
          attempts={run.attempts.length}
          sort={sort}
          onSort={(next) =>
            onSearch({ sort: next === DEFAULT_SORT ? undefined : next, page: undefined })
          }
          onOpen={open}
        />
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

const Loosen = ({ onSearch }: Pick<TrajectoriesProps, "onSearch">) => (
  <div className="text-center">
    <Button
      onClick={() =>
        onSearch({ q: undefined, pinned: undefined, filter: undefined, page: undefined })
      }
    >
      Show all trajectories
    </Button>
  </div>
);

export function NoTrajectories({ run }: { run: RunDetail }) {
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
