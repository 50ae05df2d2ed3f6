/** Tokens in the order of a quantity. */

export interface Ranks {
  /** Indices, what stands out most first. */
  order: readonly number[];
  /** Of each token from 1; null where it has no value. */
  rank: readonly (number | null)[];
}

/** From the largest magnitude to the smallest, or from the least value on. */
export function ranksOf(values: readonly (number | null)[], least = false): Ranks {
  const key = (index: number) => {
    const value = values[index] ?? 0;
    return least ? -value : Math.abs(value);
  };
  const order = values
    .map((_, index) => index)
    .filter((index) => values[index] !== null)
    .sort((a, b) => key(b) - key(a) || a - b);
  const rank = new Array<number | null>(values.length).fill(null);
  order.forEach((index, place) => {
    rank[index] = place + 1;
  });
  return { order, rank };
}

/** The token one rank further from a token; from nowhere the first or the last. */
export function stepped({ order, rank }: Ranks, from: number | null, step: 1 | -1): number | null {
  const at = from === null ? null : (rank[from] ?? null);
  const otherwise = step === 1 ? order[0] : order.at(-1);
  return (at === null ? otherwise : (order[at - 1 + step] ?? otherwise)) ?? null;
}
