/** Where each line of the list stands: runs in pages, or groups with their runs under them. */
import type { components } from "../api/schema";
import { PAGE } from "./view";

export type Group = components["schemas"]["RunGroup"];

/** Lines that follow each other: a group's head, if there are groups, and its runs. */
export interface Segment {
  group: Group | null;
  /** The filter that finds its runs. */
  filter: string | null;
  start: number;
  /** Lines, the head included. */
  lines: number;
}

export type Line =
  | { kind: "group"; segment: Segment; group: Group; open: boolean }
  | { kind: "run"; segment: Segment; offset: number };

export const plain = (total: number): Segment[] => [
  { group: null, filter: null, start: 0, lines: total },
];

export function grouped(
  by: string,
  groups: readonly Group[],
  open: ReadonlySet<string>,
): Segment[] {
  let start = 0;
  return groups.map((group) => {
    const lines = 1 + (open.has(group.value) ? group.count : 0);
    const segment = { group, filter: `${by}=${group.value}`, start, lines };
    start += lines;
    return segment;
  });
}

export const lineCount = (segments: readonly Segment[]): number => {
  const last = segments.at(-1);
  return last ? last.start + last.lines : 0;
};

export function lineAt(segments: readonly Segment[], index: number): Line | null {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((segments[middle]?.start ?? 0) <= index) low = middle;
    else high = middle - 1;
  }
  const segment = segments[low];
  if (!segment || index < segment.start || index >= segment.start + segment.lines) return null;
  const inside = index - segment.start;
  if (segment.group && inside === 0) {
    return { kind: "group", segment, group: segment.group, open: segment.lines > 1 };
  }
  return { kind: "run", segment, offset: segment.group ? inside - 1 : inside };
}

export interface PageKey {
  filter: string | null;
  page: number;
}

/** The pages of runs that these lines need, each once. */
export function pagesOf(segments: readonly Segment[], from: number, to: number): PageKey[] {
  const found = new Map<string, PageKey>();
  for (let index = from; index <= to; index += 1) {
    const line = lineAt(segments, index);
    if (line?.kind !== "run") continue;
    const page = Math.floor(line.offset / PAGE);
    const filter = line.segment.filter;
    found.set(`${page} ${filter ?? ""}`, { filter, page });
  }
  return [...found.values()];
}
