import { useSyncExternalStore } from "react";

/** The x value under the pointer, shared by every chart of the page. */
let hovered: number | null = null;
const listeners = new Set<() => void>();

export function setHovered(x: number | null): void {
  if (x === hovered) return;
  hovered = x;
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useHovered = (): number | null => useSyncExternalStore(subscribe, () => hovered);

/** Index of the value nearest to `x` in a sorted list. */
export function nearest(sorted: readonly number[], x: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0) < x) low = middle + 1;
    else high = middle;
  }
  const before = sorted[low - 1];
  const here = sorted[low];
  if (before !== undefined && here !== undefined && x - before < here - x) return low - 1;
  return low;
}
