import { queryOptions, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client, unwrap } from "../api/client";
import { type Field, metricField, paramField, RUN_FIELDS } from "./fields";

const fieldsQuery = queryOptions({
  queryKey: ["runs", "fields"],
  queryFn: ({ signal }) => unwrap(client.GET("/api/runs/fields", { signal })),
  staleTime: 60_000,
});

/** All fields there are; asked for when first somebody chooses one. `whole` once all are known. */
export function useFields(): { fields: readonly Field[]; whole: boolean } {
  const { data, isPending } = useQuery(fieldsQuery);
  const fields = useMemo(
    () => [
      ...RUN_FIELDS,
      ...(data?.metrics ?? []).map((path) => metricField(path)),
      ...(data?.parameters ?? []).map((one) => paramField(one.path, one.kind)),
    ],
    [data],
  );
  return { fields, whole: !isPending };
}
