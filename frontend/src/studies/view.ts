/** A study's view in its URL: where factors stand, what is compared with what. */
import type { StudySearch } from "../searches";
import type { StudyTable, TableQuery, View } from "./api";

/** `row`, `column`, `average`, or `=level` for a factor that is fixed. */
export type Role = "row" | "column" | "average" | `=${string}`;

const listed = (text: string | undefined): string[] => (text ? text.split(",") : []);
const written = (items: readonly string[]): string | undefined => items.join(",") || undefined;

export function choicesOf(text: string | undefined): Record<string, string> {
  return Object.fromEntries(
    listed(text).flatMap((choice) => {
      const at = choice.indexOf("=");
      return at > 0 ? [[choice.slice(0, at), choice.slice(at + 1)]] : [];
    }),
  );
}

const choiceText = (choices: Record<string, string>): string | undefined =>
  written(Object.entries(choices).map(([factor, level]) => `${factor}=${level}`));

/** What the server is asked for, beside the plan's own metrics and baselines. */
export function viewOf(search: StudySearch): View {
  const metrics = [...new Set([...listed(search.more), ...(search.metric ? [search.metric] : [])])];
  const baseline = listed(search.against);
  return {
    ...(metrics.length ? { metric: metrics } : {}),
    ...(baseline.length ? { baseline } : {}),
  };
}

export function tableOf(search: StudySearch, metric: string): TableQuery {
  const fields = {
    row: listed(search.rows),
    column: listed(search.columns),
    fix: listed(search.fix),
    baseline: listed(search.against),
  };
  const given = Object.entries(fields).filter(([, items]) => items.length > 0);
  return { metric, ...Object.fromEntries(given) };
}

/** Where each factor stands in a table that the server gave. */
export function rolesOf(table: StudyTable, factors: readonly string[]): Record<string, Role> {
  return Object.fromEntries(
    factors.map((factor): [string, Role] => {
      if (table.row_factors.includes(factor)) return [factor, "row"];
      if (table.column_factors.includes(factor)) return [factor, "column"];
      const level = table.fixed[factor];
      return [factor, level === undefined ? "average" : `=${level}`];
    }),
  );
}

/** The URL's part for these places. */
export function layoutOf(
  roles: Record<string, Role>,
): Pick<StudySearch, "rows" | "columns" | "fix"> {
  const at = (wanted: Role) =>
    written(Object.keys(roles).filter((factor) => roles[factor] === wanted));
  const fixed = Object.entries(roles).flatMap(([factor, role]): [string, string][] =>
    role.startsWith("=") ? [[factor, role.slice(1)]] : [],
  );
  return {
    rows: at("row"),
    columns: at("column"),
    fix: choiceText(Object.fromEntries(fixed)),
  };
}

/** The URL's part for baselines, of which those of the plan need not be named. */
export function againstOf(
  chosen: Record<string, string>,
  plan: Record<string, string>,
): string | undefined {
  const other = Object.entries(chosen).filter(([factor, level]) => plan[factor] !== level);
  return choiceText(Object.fromEntries(other));
}

export const toggled = (text: string | undefined, item: string): string | undefined => {
  const items = listed(text);
  return written(items.includes(item) ? items.filter((one) => one !== item) : [...items, item]);
};

export const isListed = (text: string | undefined, item: string): boolean =>
  listed(text).includes(item);

/** Pairs of factors, each in the plan's order. */
export function pairsOf(factors: readonly string[]): [string, string][] {
  return factors.flatMap((one, i) =>
    factors.slice(i + 1).map((two): [string, string] => [one, two]),
  );
}
