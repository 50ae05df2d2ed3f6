/** What pages ask about data sets. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { DatasetVersion } from "./types";

export const datasetsQuery = queryOptions({
  queryKey: ["datasets"],
  queryFn: ({ signal }) =>
    unwrap(client.GET("/api/datasets", { params: { query: { limit: 500 } }, signal })),
});

export const benchmarksQuery = queryOptions({
  queryKey: ["benchmarks"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/datasets/benchmarks", { signal })),
  staleTime: 60_000,
});

export function datasetQuery(datasetId: string) {
  return queryOptions({
    queryKey: ["datasets", datasetId],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/datasets/{dataset_id}", {
          params: { path: { dataset_id: datasetId } },
          signal,
        }),
      ),
  });
}

/** A version never changes, so neither do its rows. */
export function previewQuery(version: DatasetVersion, query: { limit: number; offset: number }) {
  return queryOptions({
    queryKey: ["datasets", version.dataset_id, version.number, "preview", query],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/datasets/{dataset_id}/versions/{number}/preview", {
          params: { path: { dataset_id: version.dataset_id, number: version.number }, query },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
}

export function lengthsQuery(version: DatasetVersion, model: string) {
  return queryOptions({
    queryKey: ["datasets", version.dataset_id, version.number, "lengths", model],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/datasets/{dataset_id}/versions/{number}/lengths", {
          params: {
            path: { dataset_id: version.dataset_id, number: version.number },
            query: { model },
          },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}

export function leaksQuery(train: DatasetVersion, evaluation: DatasetVersion) {
  return queryOptions({
    queryKey: ["datasets", "leaks", train.id, evaluation.id],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/datasets/leaks", {
          params: { query: { train: train.id, evaluation: evaluation.id } },
          signal,
        }),
      ),
    staleTime: Number.POSITIVE_INFINITY,
  });
}
