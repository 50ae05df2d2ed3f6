/** Filters of the list as the server reads them: `disagreement>=0.5`, `grade=0`. */
import type { SummaryField } from "./search";
import { SUMMARIES } from "./summaries";

export const COMPARISONS = [">=", "<=", "="] as const;
export type Comparison = (typeof COMPARISONS)[number];

const WRITTEN = /^([a-z_]+)(!=|<=|>=|=|~|<|>)(.*)$/s;
const SIGNS: Readonly<Record<string, string>> = {
  ">=": "≥",
  "<=": "≤",
  "!=": "is not",
  "=": "is",
  "~": "contains",
};

const LABELS: ReadonlyMap<string, string> = new Map([
  ...SUMMARIES.map((one) => [one.id, one.label] as const),
  ["record_id", "Record"],
]);

/** Filters of one choice rather than of a number. */
export const CHOICES: readonly [written: string, words: string][] = [
  ["grade=1", "Right answers"],
  ["grade=0", "Wrong answers"],
  ["grade=", "Not graded"],
  ["truncated=true", "Truncated"],
  ["truncated=false", "Not truncated"],
];

/** A filter in words; as it is written where it is not understood. */
export function filterWords(written: string): string {
  const known = CHOICES.find(([one]) => one === written);
  if (known) return known[1];
  const parts = WRITTEN.exec(written);
  if (!parts?.[1] || parts[3] === undefined) return written;
  const [, field, sign = "", value] = parts;
  return `${LABELS.get(field) ?? field} ${SIGNS[sign] ?? sign} ${value || "unknown"}`;
}

export const writeFilter = (field: SummaryField, comparison: Comparison, value: string): string =>
  `${field}${comparison}${value.trim()}`;

/** A choice takes the place of others about the same field. */
export function chosen(filters: readonly string[], written: string): string[] {
  if (filters.includes(written)) return filters.filter((one) => one !== written);
  const field = written.split("=")[0];
  const about = new Set(CHOICES.map(([one]) => one).filter((one) => one.startsWith(`${field}=`)));
  return [...filters.filter((one) => !about.has(one)), written];
}
