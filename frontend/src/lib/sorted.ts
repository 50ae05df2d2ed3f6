/** Looking up places in sorted lists. */

/** Index of the value nearest to `x` in a sorted list; −1 if it is empty. */
export function nearest(sorted: readonly number[], x: number): number {
  const at = lowerBound(sorted, x);
  if (at === sorted.length) return at - 1;
  const before = sorted[at - 1];
  const here = sorted[at];
  if (before !== undefined && here !== undefined && x - before < here - x) return at - 1;
  return at;
}

/** Index of the first value that is not below `x`. */
export function lowerBound(sorted: readonly number[], x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
