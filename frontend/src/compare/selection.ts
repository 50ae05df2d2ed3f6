/** Which runs and metrics are compared, as the URL has it. */
import type { CompareSearch } from "../searches";

export const MOST_RUNS = 20;
export const MOST_CHARTS = 12;
const ID = /^[0-9a-z]{1,32}$/;

const parts = (list: string | undefined): string[] => [...new Set(list?.split(",") ?? [])];

/** The runs of a link, in its order; what is no identifier is left out. */
export const idsOf = (list: string | undefined): string[] =>
  parts(list).filter((id) => ID.test(id));

/** What changes when other runs are compared. */
export function chosen(search: CompareSearch, ids: readonly string[]): Partial<CompareSearch> {
  const kept = search.baseline && ids.includes(search.baseline) ? search.baseline : undefined;
  return { runs: ids.join(",") || undefined, baseline: kept };
}

export const without = (search: CompareSearch, gone: readonly string[]): Partial<CompareSearch> =>
  chosen(
    search,
    idsOf(search.runs).filter((id) => !gone.includes(id)),
  );

const FIRST = [
  /^train\/loss$/,
  /^eval\/.*\/accuracy$/,
  /^eval\/.*\/retention\/forward\/jsd$/,
  /^eval\/reference\/nll$/,
  /^train\/agreement\/weight_mean$/,
  /^train\/completion_length$/,
  /^train\/entropy\/student$/,
  /^train\/grad_norm$/,
];
const AT_FIRST = 6;

/** What one wants to see first, of what the runs report. */
export function firstMetrics(names: readonly string[]): string[] {
  const found = FIRST.flatMap((pattern) => names.filter((name) => pattern.test(name)));
  return (found.length ? found : names).slice(0, AT_FIRST);
}

/** The metrics whose curves are drawn: those of the link, else the first. */
export const metricsOf = (search: CompareSearch, names: readonly string[]): string[] =>
  search.charts === undefined
    ? firstMetrics(names)
    : parts(search.charts).filter(Boolean).slice(0, MOST_CHARTS);
