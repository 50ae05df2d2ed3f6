import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { fetchMetrics } from "../api/queries";
import type { EventKind } from "../api/types";
import { EMPTY, type LiveState, load } from "./reducer";
import { RunStore, type Snapshot } from "./store";

/** What else a page shows of a run changes with these; asked again at most once a second. */
const REFRESH_MS = 1000;
const QUIET: ReadonlySet<EventKind> = new Set(["metrics", "log", "output"]);

/** The live state of a run; one stream for all tabs of its page. */
export function useRunLive(runId: string, active: boolean): Snapshot {
  const queries = useQueryClient();
  const store = useMemo(() => {
    const waiting = new Set<string>();
    const refresh = (what: string) => {
      const first = waiting.size === 0;
      waiting.add(what);
      if (!first) return;
      setTimeout(() => {
        if (waiting.has("history")) {
          void queries.invalidateQueries({ queryKey: ["run", runId, "transitions"] });
        }
        if (waiting.has("run")) {
          void queries.invalidateQueries({ queryKey: ["run", runId], exact: true });
        }
        if (waiting.has("trajectories")) {
          void queries.invalidateQueries({ queryKey: ["run", runId, "trajectories"] });
        }
        waiting.clear();
      }, REFRESH_MS);
    };
    const onEvent = (kind: EventKind) => {
      if (kind === "status" || kind === "steering") refresh("history");
      if (kind === "trajectory") refresh("trajectories");
      else if (!QUIET.has(kind)) refresh("run");
    };
    return new RunStore({ runId, onEvent });
  }, [runId, queries]);
  useEffect(() => {
    void store.start();
    return () => store.close();
  }, [store]);
  const wasActive = useRef(active);
  useEffect(() => {
    // A run that is resumed has a stream again.
    if (active && !wasActive.current) void store.start();
    wasActive.current = active;
  }, [active, store]);
  return useSyncExternalStore(store.subscribe, store.getSnapshot);
}

/** The series of an earlier attempt, which no longer grow. */
export function useAttempt(runId: string, attempt: number | undefined): LiveState | undefined {
  const { data } = useQuery({
    queryKey: ["run", runId, "metrics", attempt],
    queryFn: ({ signal }) => fetchMetrics(runId, attempt ?? null, signal),
    enabled: attempt !== undefined,
    staleTime: 60_000,
  });
  return useMemo(() => (data ? load(EMPTY, data) : undefined), [data]);
}
