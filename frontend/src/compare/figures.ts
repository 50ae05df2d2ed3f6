/** Figures of the tables as people read them, and as spreadsheets do. */
import type { MetricRow } from "../api/types";
import { number, UNKNOWN } from "../lib/format";

type Maybe = number | null | undefined;
export type Better = MetricRow["better"];
export type Verdict = "better" | "worse" | "differs" | "unclear";

const known = (value: Maybe): value is number =>
  typeof value === "number" && Number.isFinite(value);

/** A difference with its sign. */
export function signed(value: Maybe, format: (value: number) => string = short): string {
  if (!known(value)) return UNKNOWN;
  return value > 0 ? `+${format(value)}` : format(value);
}

const short = (value: number): string => number(value, 3);

/** Percentage points: `+4.2`, `−0.5`. */
export const points = (share: Maybe): string =>
  signed(share, (value) => (value * 100).toFixed(1).replace("-", "\u2212"));

/** Both ends of an interval, or nothing where it has no width. */
export function ends(
  low: Maybe,
  high: Maybe,
  format: (value: number) => string = short,
): string | null {
  if (!known(low) || !known(high)) return null;
  const [from, to] = [format(low), format(high)];
  return from === to ? null : `${from} to ${to}`;
}

/** What a difference says: only an interval without zero says anything. */
export function verdict(low: Maybe, high: Maybe, better: Better): Verdict {
  if (!known(low) || !known(high) || (low <= 0 && high >= 0)) return "unclear";
  if (better === null || better === undefined) return "differs";
  return (better === "higher") === low > 0 ? "better" : "worse";
}

/** A p-value; small ones by their bound. */
export function pValue(p: Maybe): string {
  if (!known(p)) return UNKNOWN;
  return p < 0.001 ? "< 0.001" : p.toFixed(3);
}

/** A spreadsheet's text of rows; unknown is empty. */
export function csv(rows: readonly (readonly (string | number | boolean | null | undefined)[])[]) {
  const cell = (value: string | number | boolean | null | undefined) => {
    const text = value === null || value === undefined ? "" : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

export function save(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
