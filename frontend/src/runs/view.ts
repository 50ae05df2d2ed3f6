/** The list as its address describes it, and the question that this is to the server. */
import type { RunsQuery } from "../api/queries";
import type { RunStatus } from "../api/types";
import { joinList, splitList } from "../lib/search";
import { recall, remember } from "../lib/storage";
import type { RunsSearch } from "../searches";
import { DEFAULT_COLUMNS, fieldOf, isMetric, isParam, metricOf, paramPath } from "./fields";

export const PAGE = 100;
export const DEFAULT_SORT = "-created_at";
/** What a saved view holds; which groups are open is of the moment. */
export const VIEW_KEYS = ["q", "status", "filter", "sort", "group", "columns"] as const;

const STORED = "runs.columns";

/** Columns in their order: the address's, else those that this browser had last, else the usual. */
export function columnsOf(search: RunsSearch): string[] {
  const wanted = splitList(search.columns ?? recall(STORED) ?? undefined);
  const known = [...new Set(wanted)].filter((id) => fieldOf(id));
  return known.length ? known : [...DEFAULT_COLUMNS];
}

export function rememberColumns(columns: readonly string[]): string | undefined {
  const text = joinList(columns);
  remember(STORED, text ?? "");
  return text;
}

export const filtersOf = (search: RunsSearch): string[] => splitList(search.filter);

/** Which runs, without their order and pages. */
export function wantedOf(search: RunsSearch, projectId: string | undefined): RunsQuery {
  const filter = filtersOf(search);
  return {
    ...(projectId ? { project_id: projectId } : {}),
    ...(search.q ? { q: search.q } : {}),
    ...(search.status ? { status: search.status.split(",") as RunStatus[] } : {}),
    ...(filter.length ? { filter } : {}),
  };
}

/** What the columns need besides a run's own fields. */
export function shownOf(columns: readonly string[]): Pick<RunsQuery, "metric" | "param"> {
  const metric = [...new Set(columns.filter(isMetric).map((id) => metricOf(id).path))];
  const param = columns.filter(isParam).map(paramPath);
  return { ...(metric.length ? { metric } : {}), ...(param.length ? { param } : {}) };
}

/** The part of an address that a saved view keeps. */
export function savedSearch(
  search: RunsSearch,
  columns: readonly string[],
): Record<string, string> {
  const full: Record<string, string | undefined> = { ...search, columns: joinList(columns) };
  return Object.fromEntries(
    VIEW_KEYS.flatMap((key) => (full[key] ? [[key, String(full[key])]] : [])),
  );
}

export const isNarrowed = (search: RunsSearch): boolean =>
  Boolean(search.q || search.status || search.filter);

/** The group of a value in the address: `=` before it, so that no value is a group, too. */
export const openGroups = (search: RunsSearch): Set<string> =>
  new Set(splitList(search.open).map((one) => one.slice(1)));

export const writeOpen = (values: Iterable<string>): string | undefined =>
  joinList([...values].map((value) => `=${value}`));
