/**
 * Exponential moving average without the pull towards zero at the start:
 * `s ← w·s + (1−w)·x`, reported as `s / (1 − wⁿ)` after n finite values (Kingma & Ba 2015, §3).
 * Values that are not finite stay gaps and do not touch the average.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let sum = 0;
  let count = 0;
  return values.map((value) => {
    if (value === null || !Number.isFinite(value)) return null;
    sum = weight * sum + (1 - weight) * value;
    count += 1;
    return sum / (1 - weight ** count);
  });
}
