/** What the pages of comparisons ask of the API. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import type { components, paths } from "../api/schema";

type Schemas = components["schemas"];
export type Comparison = Schemas["GenerationOut"];
export type ComparisonLine = Schemas["GenerationLine"];
export type ComparisonCreate = Schemas["GenerationCreate"];
export type Column = Schemas["ColumnOut"];
export type ColumnWanted = Schemas["ColumnWanted"];
export type Answer = Schemas["AnswerOut"];
export type AnswerToken = Schemas["TokenOut"];
export type Tally = Schemas["Tally"];
export type Role = ColumnWanted["view"];
type ListQuery = NonNullable<paths["/api/generations"]["get"]["parameters"]["query"]>;

const LIVE_MS = 1500;

export const isOpen = (status: Comparison["status"]): boolean =>
  status === "queued" || status === "loading" || status === "generating";

export function comparisonQuery(id: string) {
  return queryOptions({
    queryKey: ["generation", id],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/generations/{generation_id}", {
          params: { path: { generation_id: id } },
          signal,
        }),
      ),
    // The stream brings the answers; what is waited for changes without it.
    refetchInterval: ({ state }) =>
      state.data && isOpen(state.data.status) && state.data.status !== "generating"
        ? LIVE_MS
        : false,
  });
}

export function comparisonsQuery(query: ListQuery) {
  return queryOptions({
    queryKey: ["generations", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/generations", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => isOpen(one.status)) ? LIVE_MS : 10_000,
  });
}

export const talliesQuery = (blind: boolean) =>
  queryOptions({
    queryKey: ["generations", "tallies", blind],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/generations/tallies", { params: { query: { blind } }, signal })),
    placeholderData: keepPreviousData,
  });

export const recordQuery = (runId: string, index: number) =>
  queryOptions({
    queryKey: ["generations", "record", runId, index],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/generations/record", {
          params: { query: { run_id: runId, index } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const tokensQuery = (id: string, column: number, sample: number) =>
  queryOptions({
    queryKey: ["generation", id, "tokens", column, sample],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/generations/{generation_id}/answers/{column}/{sample}", {
          params: { path: { generation_id: id, column, sample } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const useCreateComparison = () =>
  useMutation({
    mutationFn: (body: ComparisonCreate) => unwrap(client.POST("/api/generations", { body })),
  });

type Change =
  | { kind: "cancel" }
  | { kind: "reveal" }
  | { kind: "name"; name: string | null }
  | { kind: "vote"; sample: number; winner: number | null };

/** Changes a comparison, and shows what it is then. */
export function useChange(id: string) {
  const queries = useQueryClient();
  const params = { path: { generation_id: id } };
  return useMutation({
    mutationFn: (change: Change): Promise<Comparison> => {
      if (change.kind === "cancel") {
        return unwrap(client.POST("/api/generations/{generation_id}/cancel", { params }));
      }
      if (change.kind === "reveal") {
        return unwrap(client.POST("/api/generations/{generation_id}/reveal", { params }));
      }
      if (change.kind === "name") {
        const body = { name: change.name };
        return unwrap(client.PATCH("/api/generations/{generation_id}", { params, body }));
      }
      const body = { sample: change.sample, winner: change.winner };
      return unwrap(client.POST("/api/generations/{generation_id}/votes", { params, body }));
    },
    onSuccess: (found) => {
      queries.setQueryData(["generation", id], found);
      void queries.invalidateQueries({ queryKey: ["generations"] });
    },
  });
}

export function useDeleteComparison() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        client.DELETE("/api/generations/{generation_id}", {
          params: { path: { generation_id: id } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["generations"] }),
  });
}
