/** Where a waiting run can be put, as the run before which it then stands. */
export type Direction = "front" | "up" | "down" | "back";

/** `null` stands for behind all; absent where there is nowhere to go. */
export type Target = string | null | undefined;

/**
 * Targets of the run at `index` of the runs that are listed, out of `total` that wait: beyond the
 * list's end it is not known who stands there.
 */
export function targets(
  ids: readonly string[],
  index: number,
  total: number,
): Record<Direction, Target> {
  const first = index === 0;
  const last = index === total - 1;
  const knowsNext = index + 2 < ids.length || ids.length === total;
  return {
    front: first ? undefined : ids[0],
    up: first ? undefined : ids[index - 1],
    down: last || !knowsNext ? undefined : (ids[index + 2] ?? null),
    back: last ? undefined : null,
  };
}
