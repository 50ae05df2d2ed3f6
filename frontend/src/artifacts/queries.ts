/** What the artifacts' pages ask of the API. */
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "../api/client";
import type { components, paths } from "../api/schema";
import { isActive } from "../api/types";

type Schemas = components["schemas"];
export type Export = Schemas["ExportOut"];
export type ExportKind = Schemas["ExportKind"];
export type ExportOptions = Schemas["ExportOptions"];
export type KindOption = Schemas["KindOption"];
export type ExportCreate = Schemas["ExportCreate"];
export type ArtifactRow = Schemas["ArtifactRow"];
export type FileSet = Schemas["FileSet"];
export type Check = Schemas["ExportCheck"];
export type Bundle = Schemas["Bundle"];
export type BundleImport = Schemas["BundleImport"];
export type BundleVerdict = Schemas["BundleVerdict"];
export type ArtifactsQuery = NonNullable<paths["/api/artifacts"]["get"]["parameters"]["query"]>;

const LIVE_MS = 1000;
const CALM_MS = 10_000;

export function exportsQuery(runId: string) {
  return queryOptions({
    queryKey: ["exports", runId],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/exports", { params: { query: { run_id: runId, limit: 200 } }, signal }),
      ),
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => isActive(one.status)) ? LIVE_MS : CALM_MS,
  });
}

export function exportOptionsQuery(runId: string) {
  return queryOptions({
    queryKey: ["exports", runId, "options"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/exports/options", {
          params: { path: { run_id: runId } },
          signal,
        }),
      ),
  });
}

export function runFilesQuery(runId: string, active: boolean) {
  return queryOptions({
    queryKey: ["run", runId, "files"],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/runs/{run_id}/files", { params: { path: { run_id: runId } }, signal }),
      ),
    refetchInterval: active ? 5000 : false,
  });
}

export function artifactsQuery(query: ArtifactsQuery) {
  return queryOptions({
    queryKey: ["exports", "all", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/artifacts", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => one.export && isActive(one.export.status))
        ? LIVE_MS
        : CALM_MS,
  });
}

export function useCreateExport(runId: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: ExportCreate) =>
      unwrap(
        client.POST("/api/runs/{run_id}/exports", { params: { path: { run_id: runId } }, body }),
      ),
    // A token that was sent is not kept in the page's memory either.
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["exports"] }),
  });
}

export function useCancelExport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (exportId: string) =>
      unwrap(
        client.POST("/api/exports/{export_id}/cancel", {
          params: { path: { export_id: exportId } },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ["exports"] }),
  });
}

export function useDeleteExport() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (exportId: string) =>
      unwrap(
        client.DELETE("/api/exports/{export_id}", { params: { path: { export_id: exportId } } }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["exports"] }),
  });
}

export const useCheckBundle = () =>
  useMutation({
    mutationFn: (body: BundleImport) => unwrap(client.POST("/api/bundles/check", { body })),
  });

export function useImportBundle() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: BundleImport) => unwrap(client.POST("/api/bundles", { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["runs"] }),
  });
}

export const exportAddress = (exportId: string, file?: string): string =>
  `/api/exports/${exportId}/download${file ? `?file=${encodeURIComponent(file)}` : ""}`;

export const fileAddress = (runId: string, path: string): string =>
  `/api/runs/${runId}/files/${path.split("/").map(encodeURIComponent).join("/")}`;

export const bundleAddress = (runId: string): string => `/api/runs/${runId}/bundle`;
