/** Filters as the server reads them: `model~qwen`, `seed=42`, `created_at>=7d`. */
import { statusLabel } from "../components/StatusChip";
import { STATUSES } from "../searches";
import { type Field, fieldOf } from "./fields";

export const COMPARISONS = ["=", "!=", "~", "!~", "<", "<=", ">", ">="] as const;
export type Comparison = (typeof COMPARISONS)[number];

export interface Filter {
  field: string;
  comparison: Comparison;
  value: string;
}

const WRITTEN = /^((?:metric|param):.+?|[a-z_]+)(!=|!~|<=|>=|=|~|<|>)(.*)$/s;

export function readFilter(written: string): Filter | null {
  const parts = WRITTEN.exec(written);
  if (!parts?.[1]) return null;
  return { field: parts[1], comparison: parts[2] as Comparison, value: parts[3] ?? "" };
}

export const writeFilter = (filter: Filter): string =>
  filter.field + filter.comparison + filter.value;

/** Comparisons that make sense for a field, the usual one first. */
export function comparisonsOf(field: Field): readonly Comparison[] {
  if (field.kind === "time") return [">=", "<"];
  if (field.kind === "number" || field.kind === "span") return ["<", "<=", ">", ">=", "=", "!="];
  if (field.kind === "text" || field.kind === "named" || field.kind === "tag") {
    return ["~", "!~", "=", "!="];
  }
  return ["=", "!="];
}

export const WORDS: Record<Comparison, string> = {
  "=": "is",
  "!=": "is not",
  "~": "contains",
  "!~": "does not contain",
  "<": "<",
  "<=": "≤",
  ">": ">",
  ">=": "≥",
};

const TIME_WORDS: Partial<Record<Comparison, string>> = {
  "<": "before",
  "<=": "until",
  ">": "after",
  ">=": "since",
};

export function comparisonWords(field: Field, comparison: Comparison): string {
  return (field.kind === "time" ? TIME_WORDS[comparison] : undefined) ?? WORDS[comparison];
}

/** A value as people read it. */
export function valueWords(field: string, value: string): string {
  if (value === "") return "none";
  const status = STATUSES.find((one) => field === "status" && one === value);
  if (status) return statusLabel(status);
  if (/^\d+(\.\d+)?[smhdw]$/.test(value) && field.endsWith("_at")) return `${value} ago`;
  return value;
}

const SINGULAR: Readonly<Record<string, string>> = { tag: "Tag", mechanism: "Mechanism" };

export interface Chip {
  key: string;
  field: string;
  words: string;
  written: readonly string[];
}

/** What the filters say, those that are alternatives of each other in one. */
export function chips(
  written: readonly string[],
  label: (field: string, value: string) => string = valueWords,
): Chip[] {
  const found = new Map<string, { filter: Filter; written: string[]; values: string[] }>();
  for (const one of written) {
    const filter = readFilter(one) ?? { field: one, comparison: "=" as const, value: "" };
    const key = filter.comparison === "=" ? `${filter.field}=` : one;
    const chip = found.get(key) ?? { filter, written: [], values: [] };
    chip.written.push(one);
    chip.values.push(label(filter.field, filter.value));
    found.set(key, chip);
  }
  return [...found].map(([key, { filter, written: some, values }]) => {
    const field = fieldOf(filter.field);
    const comparison = field ? comparisonWords(field, filter.comparison) : filter.comparison;
    const name = (field && SINGULAR[field.id]) ?? field?.label ?? filter.field;
    return {
      key,
      field: filter.field,
      words: `${name} ${comparison} ${values.join(" or ")}`,
      written: some,
    };
  });
}
