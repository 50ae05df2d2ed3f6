/** What the pages ask of a run's recorded rollouts as a whole. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { TrajectoriesQuery } from "./queries";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type AgreementReport = Schemas["AgreementReport"];

/** Filters and order of a list, without the page. */
export type ListQuery = Omit<TrajectoriesQuery, "limit" | "offset">;

const at = (runId: string) => ({ run_id: runId });

export const overviewQuery = (runId: string) =>
  queryOptions({
    queryKey: ["run", runId, "trajectories", "overview"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/overview", {
          params: { path: at(runId) },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const distributionQuery = (runId: string, field: string) =>
  queryOptions({
    queryKey: ["run", runId, "trajectory-distribution", field],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/distribution", {
          params: { path: at(runId), query: { field, bins: 32 } },
          signal,
        }),
      ),
    staleTime: 10_000,
  });

export const neighboursQuery = (runId: string, id: number, query: ListQuery) =>
  queryOptions({
    queryKey: ["run", runId, "trajectories", "neighbours", id, query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/{trajectory_id}/neighbours", {
          params: { path: { ...at(runId), trajectory_id: id }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

const REFRESH_MS = 10_000;

/** Asked again at once until all files are read, then now and then while the run goes on. */
export const agreementQuery = (runId: string, active: boolean) =>
  queryOptions({
    queryKey: ["run", runId, "agreement"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/trajectories/agreement", {
          params: { path: at(runId) },
          signal,
        }),
      ),
    refetchInterval: ({ state }) => {
      if (state.data && !state.data.complete) return 500;
      return active ? REFRESH_MS : false;
    },
  });
