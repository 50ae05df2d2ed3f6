/** What the Retention page asks of the API. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import type { components, paths } from "../api/schema";

type Schemas = components["schemas"];
export type Retention = Schemas["Retention"];
export type RetentionCurve = Schemas["RetentionCurve"];
export type EvaluatedWeights = Schemas["EvaluatedWeights"];
export type PendingEvaluation = Schemas["PendingEvaluation"];
export type Points = Schemas["Points"];
export type DirectionFigures = Schemas["DirectionFigures"];
export type Summary = Schemas["Summary"];
export type EvaluationSet = Schemas["EvaluationSet"];
export type EvaluationCreate = Schemas["EvaluationCreate"];
export type Example = Schemas["Example"];

/** A result by its name, `RUN:CURSOR`. */
export interface ResultName {
  runId: string;
  cursor: number;
}

export function resultOf(name: string): ResultName {
  const [runId = "", cursor = ""] = name.split(":");
  return { runId, cursor: Number(cursor) };
}

const WAITING_MS = 2000;

export function retentionCurveQuery(runId: string, active: boolean) {
  return queryOptions({
    queryKey: ["run", runId, "retention"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/retention", { params: { path: { run_id: runId } }, signal }),
      ),
    refetchInterval: ({ state }) => (active || state.data?.pending.length ? WAITING_MS : false),
  });
}

/** What was answered does not change any more. */
export function retentionQuery({ runId, cursor }: ResultName, direction: Direction) {
  return queryOptions({
    queryKey: ["run", runId, "evaluations", cursor, "retention", direction],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/evaluations/{cursor}/retention", {
          params: { path: { run_id: runId, cursor }, query: { direction } },
          signal,
        }),
      ),
    placeholderData: (before: Retention | undefined, query) =>
      query?.queryKey[1] === runId && query.queryKey[3] === cursor ? before : undefined,
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

type RowsQuery = NonNullable<
  paths["/api/runs/{run_id}/evaluations/{cursor}/examples"]["get"]["parameters"]["query"]
>;
export type Direction = keyof Retention["directions"] & ("forward" | "reverse" | "gold");

export function rowsQuery({ runId, cursor }: ResultName, query: RowsQuery) {
  return queryOptions({
    queryKey: ["run", runId, "evaluations", cursor, "rows", query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/evaluations/{cursor}/examples", {
          params: { path: { run_id: runId, cursor }, query: { ...query, per_token: false } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function exampleQuery({ runId, cursor }: ResultName, index: number, sample: number) {
  return queryOptions({
    queryKey: ["run", runId, "evaluations", cursor, "example", index, sample],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/evaluations/{cursor}/examples/{index}", {
          params: { path: { run_id: runId, cursor, index }, query: { sample } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Queues an evaluation for each state of the weights. */
export function useEvaluate(runId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (wanted: readonly EvaluationCreate[]) => {
      for (const body of wanted) await unwrap(client.POST("/api/evaluations", { body }));
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["run", runId, "retention"] });
      void queries.invalidateQueries({ queryKey: ["runs"] });
    },
  });
}
