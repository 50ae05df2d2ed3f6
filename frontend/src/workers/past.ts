/** A host's past, laid on an even grid of time so that gaps stay gaps. */
import type { Gpu, Sample } from "../api/types";
import type { Span } from "../searches";

export const SPAN_SECONDS: Record<Span, number> = { hour: 3600, day: 86_400 };
const BUCKETS: Record<Span, number> = { hour: 60, day: 96 };

/**
 * The highest of each stretch of the span that ends with the newest sample or `end`; null where
 * nothing was reported. The peak is kept since a spike is what one looks for.
 */
export function series(
  samples: readonly Sample[],
  span: Span,
  end: number,
  pick: (sample: Sample) => number | null | undefined,
): (number | null)[] {
  const count = BUCKETS[span];
  const width = SPAN_SECONDS[span] / count;
  const last = Math.max(end, samples.at(-1)?.time ?? end);
  const buckets = new Array<number | null>(count).fill(null);
  for (const sample of samples) {
    const value = pick(sample);
    const at = count - 1 - Math.floor((last - sample.time) / width);
    if (value === null || value === undefined || at < 0) continue;
    buckets[at] = Math.max(buckets[at] ?? value, value);
  }
  return buckets;
}

export function peak(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length ? Math.max(...known) : null;
}

/** The same GPU in a sample, by what names it best. */
export function gpuOf(sample: Sample, gpu: Gpu): Gpu | undefined {
  return sample.gpus.find((one) => (gpu.uuid ? one.uuid === gpu.uuid : one.index === gpu.index));
}

export const used = (gpu: Gpu | undefined): number | null =>
  gpu?.memory_total && gpu.memory_used !== null ? gpu.memory_used / gpu.memory_total : null;
