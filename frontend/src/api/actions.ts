/** Changes that the pages ask of the API. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import { sessionQuery } from "./queries";
import type { paths } from "./schema";
import type { DatasetMapping, DatasetVersion } from "./types";

export type RunCreate = paths["/api/runs"]["post"]["requestBody"]["content"]["application/json"];

export function useCreateRun() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: RunCreate) => unwrap(client.POST("/api/runs", { body })),
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["runs"] });
      void queries.invalidateQueries({ queryKey: ["projects"] });
    },
  });
}

export function useCreateProject() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      unwrap(client.POST("/api/projects", { body: { name, description: "" } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["projects"] }),
  });
}

export function useChangeMapping() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ version, mapping }: { version: DatasetVersion; mapping: DatasetMapping }) =>
      unwrap(
        client.POST("/api/datasets/{dataset_id}/versions/{number}/mapping", {
          params: { path: { dataset_id: version.dataset_id, number: version.number } },
          body: { mapping },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

/** Deletes a version; with its last version a data set goes too. */
export function useDeleteDataset() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (version: DatasetVersion) =>
      unwrap(
        client.DELETE("/api/datasets/{dataset_id}/versions/{number}", {
          params: { path: { dataset_id: version.dataset_id, number: version.number } },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["datasets"] }),
  });
}

export function useSignIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (token: string) => unwrap(client.POST("/api/session", { body: { token } })),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
      await queries.invalidateQueries();
    },
  });
}

export function useSignOut() {
  return useMutation({
    mutationFn: () => unwrap(client.DELETE("/api/session")),
    // Nothing that was on screen stays behind.
    onSuccess: () => window.location.assign("/"),
  });
}
