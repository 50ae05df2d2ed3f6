/**
 * Exponential moving average without the pull towards zero at the start:
 * `s ← w·s + (1−w)·x`, reported as `s / (1 − wⁿ)` after n finite values (Kingma & Ba 2015, §3).
 * A value that is the mean of several counts as often as they were: `w` to that power.
 * Values that are not finite stay gaps and do not touch the average.
 */
export function smooth(
  values: readonly (number | null)[],
  weight: number,
  counts?: readonly number[],
): (number | null)[] {
  if (weight <= 0) return [...values];
  let sum = 0;
  let rest = 1;
  return values.map((value, i) => {
    if (value === null || !Number.isFinite(value)) return null;
    const kept = weight ** (counts?.[i] ?? 1);
    sum = kept * sum + (1 - kept) * value;
    rest *= kept;
    return sum / (1 - rest);
  });
}
