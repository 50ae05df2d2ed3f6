import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { RunCreate } from "../api/actions";
import { ApiError, client, unwrap } from "../api/client";
import type { Preflight, Problem, Validation } from "../api/types";
import { useDebounced } from "../lib/hooks";
import { placedInForm, type StudyPlan } from "./grid";

const PAUSE_MS = 450;
const PREFLIGHT_PAUSE_MS = 900;

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

/** What is to be started: one run, or all runs of a study. */
export type Wanted = { run: RunCreate } | { plan: StudyPlan };

async function ask(wanted: Wanted, signal: AbortSignal): Promise<Validation> {
  if ("run" in wanted) {
    return unwrap(client.POST("/api/runs/validate", { body: wanted.run, signal }));
  }
  const body = { text: JSON.stringify(wanted.plan) };
  const found = await unwrap(client.POST("/api/studies/check", { body, signal }));
  const placed = (problem: Problem) => placedInForm(problem, wanted.plan);
  return {
    valid: found.errors.length === 0,
    errors: found.errors.map(placed),
    warnings: found.warnings.map(placed),
  };
}

async function validate(wanted: Wanted, signal: AbortSignal): Promise<Validation> {
  try {
    return await ask(wanted, signal);
  } catch (error) {
    // A body that is no configuration at all is refused, with the same problems in it.
    if (error instanceof ApiError && error.status === 422) {
      return { valid: false, errors: refused(error, wanted), warnings: [] };
    }
    throw error;
  }
}

/** The problems of a refused wish, at the form's fields. */
export function refused(error: ApiError, wanted: Wanted): Problem[] {
  const problems = problemsOf(error);
  return "plan" in wanted
    ? problems.map((problem) => placedInForm(problem, wanted.plan))
    : problems;
}

/** The server's word on what stands in the form, a moment after one stops typing. */
export function useValidation(wanted: Wanted): Verdict {
  const text = JSON.stringify(wanted);
  const settled = useDebounced(text, PAUSE_MS);
  const { data, error, isFetching } = useQuery({
    queryKey: ["validate", settled],
    queryFn: ({ signal }) => validate(JSON.parse(settled) as Wanted, signal),
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

export interface PreflightState {
  data: Preflight | undefined;
  /** Whether what is shown is of what stood in the form before. */
  stale: boolean;
  error: unknown;
  /** Whether what stands in the form is no configuration yet, so that nothing can be looked at. */
  unfinished: boolean;
}

/** Everything that can be known before the start, a moment after one stops typing. */
export function usePreflight(run: RunCreate, record: number): PreflightState {
  const { name: _, ...rest } = run;
  const text = JSON.stringify(rest);
  const settled = useDebounced(text, PREFLIGHT_PAUSE_MS);
  const { data, error, isFetching, isPlaceholderData } = useQuery({
    queryKey: ["preflight", settled, record],
    queryFn: ({ signal }) =>
      unwrap(
        client.POST("/api/runs/preflight", {
          body: JSON.parse(settled) as RunCreate,
          params: { query: { record } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    gcTime: 60_000,
    // Workers come, go and fill up.
    refetchInterval: 15_000,
    retry: false,
  });
  const unfinished = error instanceof ApiError && error.status === 422;
  const stale = isPlaceholderData || (isFetching && !data) || settled !== text;
  return { data, stale, error, unfinished };
}
