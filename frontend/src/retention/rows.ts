/** Which examples the table shows, as the address has it. */
import type { RunSearch } from "../searches";

export const PAGE_SIZE = 50;

export function rowsOf(search: RunSearch) {
  const page = search.page ?? 1;
  const { bin, measure = "jsd" } = search;
  const range = rangeOf(bin);
  return {
    limit: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
    sort: search.rank ?? "gain",
    ...(search.quadrant ? { quadrant: search.quadrant } : {}),
    ...(search.q ? { q: search.q } : {}),
    ...(range && measure === "jsd" ? { min_jsd: range.low, max_jsd: range.high } : {}),
    ...(range && measure === "base_logprob"
      ? { min_base_logprob: range.low, max_base_logprob: range.high }
      : {}),
  };
}

/** Both bounds of a bar of the histogram: `0.02..0.04`. */
export function rangeOf(text: string | undefined): { low: number; high: number } | null {
  const parts = text?.split("..").map(Number) ?? [];
  const [low, high] = parts;
  if (parts.length !== 2 || low === undefined || high === undefined) return null;
  return Number.isFinite(low) && Number.isFinite(high) ? { low, high } : null;
}
