/** The runs behind the lines that are on screen, kept up to date. */
import { keepPreviousData, queryOptions, useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { client, unwrap } from "../api/client";
import type { RunsQuery } from "../api/queries";
import { isActive, type RunSummary } from "../api/types";
import { grouped, type Line, type PageKey, plain, type Segment } from "./layout";
import { PAGE } from "./view";

const LIVE_MS = 2000;
const SETTLED_MS = 10_000;

function listQuery(query: RunsQuery) {
  return queryOptions({
    queryKey: ["runs", "list", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/runs", { params: { query }, signal })),
    refetchInterval: SETTLED_MS,
  });
}

const pageOf = (query: RunsQuery, key: PageKey): RunsQuery => ({
  ...query,
  ...(key.filter === null ? {} : { filter: [...(query.filter ?? []), key.filter] }),
  limit: PAGE,
  offset: key.page * PAGE,
});

/** The list's lines: how many there are, or which groups. */
export function useSegments(
  query: RunsQuery,
  group: string | undefined,
  open: ReadonlySet<string>,
) {
  const { sort: _, param: __, ...wanted } = query;
  const groups = useQuery({
    queryKey: ["runs", "groups", group, wanted],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/groups", {
          params: { query: { ...wanted, by: group ?? "" } },
          signal,
        }),
      ),
    enabled: group !== undefined,
    placeholderData: keepPreviousData,
    refetchInterval: SETTLED_MS,
  });
  const first = useQuery({
    ...listQuery(pageOf(query, { filter: null, page: 0 })),
    enabled: group === undefined,
    placeholderData: keepPreviousData,
  });
  const found = groups.data;
  const total = first.data?.total;
  const segments = useMemo((): Segment[] | undefined => {
    if (group === undefined) return total === undefined ? undefined : plain(total);
    return found && found.by === group ? grouped(group, found.items, open) : undefined;
  }, [group, found, total, open]);
  const asked = group === undefined ? first : groups;
  const runs = group === undefined ? total : found?.items.reduce((sum, one) => sum + one.count, 0);
  return { segments, runs, error: asked.error, retry: asked.refetch };
}

/** Runs by page and place; those that are under way anew every two seconds, but only those. */
export function useRows(query: RunsQuery, pages: readonly PageKey[]) {
  const answers = useQueries({ queries: pages.map((key) => listQuery(pageOf(query, key))) });
  const loaded = new Map<string, readonly RunSummary[]>();
  pages.forEach((key, i) => {
    const items = answers[i]?.data?.items;
    if (items) loaded.set(keyText(key), items);
  });
  // While a new order is on its way, the old lines stay rather than flicker.
  const before = useRef(loaded);
  if (loaded.size > 0) before.current = loaded;
  const pagesShown = loaded.size > 0 ? loaded : before.current;

  const active = new Set<string>();
  for (const run of [...pagesShown.values()].flat()) if (isActive(run.status)) active.add(run.id);
  const live = useLive(query, [...active].sort());
  return {
    at: (line: Line & { kind: "run" }): RunSummary | undefined => {
      const key = { filter: line.segment.filter, page: Math.floor(line.offset / PAGE) };
      const run = pagesShown.get(keyText(key))?.[line.offset % PAGE];
      return run && active.has(run.id) ? (live.get(run.id) ?? run) : run;
    },
    /** Those that are loaded, as they are now. */
    runs: [...pagesShown.values()].flat().map((run) => live.get(run.id) ?? run),
    error: answers.find((answer) => answer.error && !answer.data)?.error ?? null,
    stale: loaded.size === 0 && pagesShown.size > 0,
  };
}

const keyText = (key: PageKey): string => `${key.page} ${key.filter ?? ""}`;

function useLive(query: RunsQuery, ids: string[]): ReadonlyMap<string, RunSummary> {
  const { metric, param } = query;
  const asked = { id: ids, limit: 500, ...(metric ? { metric } : {}), ...(param ? { param } : {}) };
  const { data } = useQuery({
    queryKey: ["runs", "live", asked],
    queryFn: ({ signal }) => unwrap(client.GET("/api/runs", { params: { query: asked }, signal })),
    enabled: ids.length > 0,
    refetchInterval: LIVE_MS,
    placeholderData: keepPreviousData,
  });
  return useMemo(() => new Map((data?.items ?? []).map((run) => [run.id, run])), [data]);
}
