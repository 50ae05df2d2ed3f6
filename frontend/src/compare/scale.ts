/** A linear axis from numbers to pixels, with round ticks. */

export interface Scale {
  at: (value: number) => number;
  ticks: { at: number; value: number }[];
}

const WANTED = 5;

/** The smallest of 1, 2, 5 × 10ⁿ that is not below a size. */
export function roundStep(size: number): number {
  const power = 10 ** Math.floor(Math.log10(size));
  const factor = [1, 2, 5, 10].find((one) => one * power >= size * 0.999) ?? 10;
  return factor * power;
}

/** Shows all values between two places, which may run down. */
export function scaleOf(values: readonly number[], from: number, to: number): Scale {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const step = roundStep((high - low || Math.abs(high) || 1) / WANTED);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(Math.ceil(high / step - 1e-9), first + 1);
  const at = (value: number) => from + ((value / step - first) / (last - first)) * (to - from);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => {
    const value = Number(((first + i) * step).toPrecision(12));
    return { value, at: at(value) };
  });
  return { at, ticks };
}
