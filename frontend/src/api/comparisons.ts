/** What the Compare page asks the API. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { client, unwrap } from "./client";
import type { paths } from "./schema";
import { type EvaluationPair, isActive, type RunComparison } from "./types";

type ComparisonQuery = paths["/api/comparisons"]["get"]["parameters"]["query"];
type CurvesQuery = paths["/api/comparisons/curves"]["get"]["parameters"]["query"];
const LIVE_MS = 5000;

export const isLive = (comparison: RunComparison | undefined): boolean =>
  comparison?.columns.some(({ runs }) => runs.some((run) => isActive(run.status))) ?? false;

export function comparisonQuery(query: ComparisonQuery) {
  return queryOptions({
    queryKey: ["comparisons", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/comparisons", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    enabled: query.run.length > 0,
    refetchInterval: ({ state }) => (isLive(state.data) ? LIVE_MS : false),
  });
}

export function comparedCurvesQuery(query: CurvesQuery, live: boolean) {
  return queryOptions({
    queryKey: ["comparisons", "curves", query],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/comparisons/curves", { params: { query }, signal })),
    placeholderData: keepPreviousData,
    refetchInterval: live ? LIVE_MS : false,
  });
}

/** Bootstraps of large sets take the server seconds: the page's other questions must get through. */
const AT_ONCE = 2;
let under = 0;
const waiting: (() => void)[] = [];

async function inTurn<T>(ask: () => Promise<T>): Promise<T> {
  if (under >= AT_ONCE) await new Promise<void>((go) => waiting.push(go));
  under += 1;
  try {
    return await ask();
  } finally {
    under -= 1;
    waiting.shift()?.();
  }
}

/** What was answered does not change any more, and so neither does what comes of it. */
export function pairQuery({ first, second }: EvaluationPair) {
  return queryOptions({
    queryKey: ["evaluations", "pair", first, second],
    queryFn: ({ signal }) =>
      inTurn(() =>
        unwrap(
          client.GET("/api/evaluations/compare", { params: { query: { first, second } }, signal }),
        ),
      ),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
}
