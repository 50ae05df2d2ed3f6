import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { RunCreate } from "../api/actions";
import { ApiError, client, unwrap } from "../api/client";
import type { Problem, Validation } from "../api/types";
import { useDebounced } from "../lib/hooks";

const PAUSE_MS = 450;

export interface Verdict {
  state: "checking" | "valid" | "invalid" | "unknown";
  errors: Problem[];
  warnings: Problem[];
}

/** The problems of a refusal; one without a list is a problem of its own. */
export function problemsOf(error: ApiError): Problem[] {
  if (error.errors.length) return error.errors;
  return [
    { code: error.code, message: error.message, remedy: error.remedy, field: null, line: null },
  ];
}

async function validate(body: RunCreate, signal: AbortSignal): Promise<Validation> {
  try {
    return await unwrap(client.POST("/api/runs/validate", { body, signal }));
  } catch (error) {
    // A body that is no configuration at all is refused, with the same problems in it.
    if (error instanceof ApiError && error.status === 422) {
      return { valid: false, errors: problemsOf(error), warnings: [] };
    }
    throw error;
  }
}

/** The server's word on what stands in the form, a moment after one stops typing. */
export function useValidation(body: RunCreate): Verdict {
  const text = JSON.stringify(body);
  const settled = useDebounced(text, PAUSE_MS);
  const { data, error, isFetching } = useQuery({
    queryKey: ["validate", settled],
    queryFn: ({ signal }) => validate(JSON.parse(settled) as RunCreate, signal),
    placeholderData: keepPreviousData,
    gcTime: 10_000,
    retry: false,
  });
  const errors = data?.errors ?? [];
  const warnings = data?.warnings ?? [];
  if (isFetching || settled !== text) return { state: "checking", errors, warnings };
  if (error || !data) return { state: "unknown", errors: [], warnings: [] };
  return { state: data.valid ? "valid" : "invalid", errors, warnings };
}
