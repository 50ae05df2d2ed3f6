/** Steering what exists: runs, queues and workers. Each wish about a run names what was seen. */
import { queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { asApiError, client, unwrap } from "./client";
import type { components } from "./schema";
import type { QueueName, RunSummary, StopMode } from "./types";

export type Seen = Pick<RunSummary, "id" | "version">;

export type RunWish =
  | { action: "stop"; mode: StopMode }
  | { action: "cancel" }
  | { action: "resume" }
  | { action: "delete" }
  | { action: "move"; before: string | null }
  | { action: "prioritise"; priority: number };

async function steer({ id, version }: Seen, wish: RunWish): Promise<void> {
  const params = { path: { run_id: id } };
  switch (wish.action) {
    case "stop": {
      const body = { mode: wish.mode, version };
      await unwrap(client.POST("/api/runs/{run_id}/stop", { params, body }));
      return;
    }
    case "cancel":
      await unwrap(client.POST("/api/runs/{run_id}/cancel", { params, body: { version } }));
      return;
    case "resume":
      await unwrap(client.POST("/api/runs/{run_id}/resume", { params, body: { version } }));
      return;
    case "move": {
      const body = { before: wish.before, version };
      await unwrap(client.POST("/api/runs/{run_id}/move", { params, body }));
      return;
    }
    case "prioritise": {
      // What is left out stays; the generated type knows no absent field with a default.
      const body = { priority: wish.priority, version } as components["schemas"]["RunChange"];
      await unwrap(client.PATCH("/api/runs/{run_id}", { params, body }));
      return;
    }
    case "delete":
      await unwrap(
        client.DELETE("/api/runs/{run_id}", { params: { ...params, query: { version } } }),
      );
  }
}

/** Tells the server a wish about a run; whatever it answers, the run is looked at again. */
export function useSteerRun() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ run, wish }: { run: Seen; wish: RunWish }) => steer(run, wish),
    onSettled: async (_data, error, { run, wish }) => {
      const lists = [["runs"], ["queues"]].map((queryKey) =>
        queries.invalidateQueries({ queryKey }),
      );
      // A run that was deleted has no page any more.
      const own =
        wish.action === "delete" && !error
          ? []
          : [
              ["run", run.id],
              ["run", run.id, "transitions"],
            ];
      const pages = own.map((queryKey) => queries.invalidateQueries({ queryKey, exact: true }));
      await Promise.all([...lists, ...pages]);
    },
  });
}

/** What a refusal says, in one line. */
export function refusal(error: unknown): string | undefined {
  if (!error) return undefined;
  const problem = asApiError(error);
  return `${problem.message} ${problem.remedy}`.trim();
}

export function transitionsQuery(runId: string) {
  return queryOptions({
    queryKey: ["run", runId, "transitions"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/transitions", {
          params: { path: { run_id: runId } },
          signal,
        }),
      ),
  });
}

export const QUEUE_LIMIT = 500;

export const queuesQuery = queryOptions({
  queryKey: ["queues"],
  queryFn: ({ signal }) =>
    unwrap(client.GET("/api/queues", { params: { query: { limit: QUEUE_LIMIT } }, signal })),
  refetchInterval: 2000,
});

export function usePauseQueue() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, pause }: { name: QueueName; pause: boolean }) => {
      const params = { path: { name } };
      return unwrap(
        pause
          ? client.POST("/api/queues/{name}/pause", { params })
          : client.POST("/api/queues/{name}/resume", { params }),
      );
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["queues"] }),
  });
}

export type ModeAction = "drain" | "quarantine" | "resume";

export function useWorkerMode() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, action, reason }: { id: string; action: ModeAction; reason?: string }) => {
      const params = { path: { worker_id: id } };
      const body = { reason: reason ?? "" };
      if (action === "drain") {
        return unwrap(client.POST("/api/workers/{worker_id}/drain", { params, body }));
      }
      if (action === "quarantine") {
        return unwrap(client.POST("/api/workers/{worker_id}/quarantine", { params, body }));
      }
      return unwrap(client.POST("/api/workers/{worker_id}/resume", { params }));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["workers"] }),
  });
}

/** A worker's past; asked again about as often as a picture of it changes. */
export function samplesQuery(workerId: string, seconds: number) {
  return queryOptions({
    queryKey: ["workers", workerId, "samples", seconds],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/workers/{worker_id}/samples", {
          params: { path: { worker_id: workerId }, query: { seconds, limit: 500 } },
          signal,
        }),
      ),
    refetchInterval: 15_000,
    staleTime: 10_000,
  });
}
