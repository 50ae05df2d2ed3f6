/** Every question that the pages ask the API, with its key and how often it is asked again. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { answerError, client, transportError, unwrap } from "./client";
import type { paths } from "./schema";
import { isActive, type Readiness, type RunDetail } from "./types";

export type RunsQuery = NonNullable<paths["/api/runs"]["get"]["parameters"]["query"]>;
export type TrajectoriesQuery = NonNullable<
  paths["/api/runs/{run_id}/trajectories"]["get"]["parameters"]["query"]
>;

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/session", { signal })),
  staleTime: 60_000,
});

/** An unready server answers 503 with the same body: that is an answer, not a failure. */
async function readiness(signal: AbortSignal): Promise<Readiness> {
  const response = await fetch("/readyz", { signal }).catch((cause: unknown) => {
    throw transportError(cause);
  });
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null && "checks" in body) return body as Readiness;
  throw answerError(response, body);
}

export const readinessQuery = queryOptions({
  queryKey: ["readiness"],
  queryFn: ({ signal }) => readiness(signal),
  refetchInterval: 10_000,
  retry: false,
});

export const configSchemaQuery = queryOptions({
  queryKey: ["config", "schema"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/config/schema", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const configDefaultsQuery = queryOptions({
  queryKey: ["config", "defaults"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/config/defaults", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const presetsQuery = queryOptions({
  queryKey: ["presets"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/presets", { signal })),
  staleTime: Number.POSITIVE_INFINITY,
});

export const modelsQuery = queryOptions({
  queryKey: ["config", "models"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/config/models", { signal })),
  staleTime: 60_000,
});

export const projectsQuery = queryOptions({
  queryKey: ["projects"],
  queryFn: ({ signal }) =>
    unwrap(client.GET("/api/projects", { params: { query: { limit: 100 } }, signal })),
  staleTime: 30_000,
});

export function runsQuery(query: RunsQuery) {
  return queryOptions({
    queryKey: ["runs", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/runs", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((run) => isActive(run.status)) ? 2000 : 10_000,
  });
}

/** The event stream drives the page; asking again catches what it does not carry. */
export function runPause(run: Pick<RunDetail, "status" | "contact">): number | false {
  if (!isActive(run.status)) return false;
  const clockRuns = run.status === "queued" || run.status === "stopping" || run.contact?.stale;
  return clockRuns ? 1000 : 3000;
}

export function runQuery(runId: string) {
  return queryOptions({
    queryKey: ["run", runId],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/runs/{run_id}", { params: { path: { run_id: runId } }, signal })),
    refetchInterval: ({ state }) => (state.data ? runPause(state.data) : false),
  });
}

/** More buckets than a chart has pixels on most screens; each with its lowest and highest. */
const BUCKETS = 2000;

/** Part of an attempt's series. */
export interface MetricRange {
  name?: string[];
  from_step?: number;
  to_step?: number;
}

export function fetchMetrics(
  runId: string,
  attempt: number | null,
  signal?: AbortSignal,
  range: MetricRange = {},
) {
  const query = {
    max_points: BUCKETS,
    shape: "bands" as const,
    ...(attempt === null ? {} : { attempt }),
    ...range,
  };
  return unwrap(
    client.GET("/api/runs/{run_id}/metrics", {
      params: { path: { run_id: runId }, query },
      ...(signal ? { signal } : {}),
    }),
  );
}

export function fetchLogs(
  runId: string,
  query: { limit: number; before?: number },
  signal: AbortSignal,
) {
  return unwrap(
    client.GET("/api/runs/{run_id}/logs", { params: { path: { run_id: runId }, query }, signal }),
  );
}

export function trajectoriesQuery(runId: string, query: TrajectoriesQuery) {
  return queryOptions({
    queryKey: ["run", runId, "trajectories", query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories", {
          params: { path: { run_id: runId }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function trajectoryQuery(runId: string, trajectoryId: number) {
  return queryOptions({
    queryKey: ["run", runId, "trajectory", trajectoryId],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/{trajectory_id}", {
          params: { path: { run_id: runId, trajectory_id: trajectoryId } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function evaluationsQuery(runId: string, active: boolean) {
  return queryOptions({
    queryKey: ["run", runId, "evaluations"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/evaluations", {
          params: { path: { run_id: runId } },
          signal,
        }),
      ),
    refetchInterval: active ? 5000 : false,
  });
}

export type ExamplesQuery = NonNullable<
  paths["/api/runs/{run_id}/evaluations/{cursor}/examples"]["get"]["parameters"]["query"]
>;

export function examplesQuery(runId: string, cursor: number, query: ExamplesQuery) {
  return queryOptions({
    queryKey: ["run", runId, "evaluations", cursor, query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/evaluations/{cursor}/examples", {
          params: { path: { run_id: runId, cursor }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export const workersQuery = queryOptions({
  queryKey: ["workers"],
  queryFn: ({ signal }) =>
    unwrap(client.GET("/api/workers", { params: { query: { limit: 100 } }, signal })),
  refetchInterval: 3000,
});
