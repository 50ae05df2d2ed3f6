/** Answers by who got them right: their names, colours and marks. */
import type { Points } from "./queries";

export type Quadrant = Points["quadrant"][number];

export interface QuadrantLook {
  label: string;
  help: string;
  colour: string;
  /** An SVG path about a place, some ten pixels wide: shapes tell what colours may not. */
  mark: (x: number, y: number) => string;
  filled: boolean;
}

export const QUADRANTS: readonly Quadrant[] = ["regressed", "improved", "both_right", "both_wrong"];

const px = (value: number): string => value.toFixed(1);

export const LOOKS: Record<Quadrant, QuadrantLook> = {
  regressed: {
    label: "Right → wrong",
    help: "The base was right, the model is wrong",
    colour: "var(--series-2)",
    mark: (x, y) => `M${px(x - 4.5)} ${px(y - 3.5)}h9l-4.5 8Z`,
    filled: true,
  },
  improved: {
    label: "Wrong → right",
    help: "The base was wrong, the model is right",
    colour: "var(--series-3)",
    mark: (x, y) => `M${px(x - 4.5)} ${px(y + 3.5)}h9l-4.5 -8Z`,
    filled: true,
  },
  both_right: {
    label: "Both right",
    help: "Base and model are right",
    colour: "var(--series-1)",
    mark: (x, y) => `M${px(x - 3.5)} ${px(y)}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0Z`,
    filled: true,
  },
  both_wrong: {
    label: "Both wrong",
    help: "Base and model are wrong",
    colour: "var(--text-faint)",
    mark: (x, y) => `M${px(x - 3.5)} ${px(y - 3.5)}l7 7m0 -7l-7 7`,
    filled: false,
  },
};

/** A number from −1 to 1 that belongs to an example: it keeps its place whenever it is drawn. */
export function jitter(index: number, sample: number): number {
  const mixed = Math.imul(index + 1, 0x9e3779b1) ^ Math.imul(sample + 1, 0x85ebca6b);
  const more = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (((more ^ (more >>> 13)) >>> 0) / 0xffffffff) * 2 - 1;
}

export interface Bin {
  low: number;
  high: number;
  count: number;
  of: Record<Quadrant, number>;
}

const MOST_BINS = 24;

/** Counts between round bounds; every value lies in one bin, the greatest in the last. */
export function histogram(
  values: readonly number[],
  quadrants: readonly Quadrant[],
  ticks: readonly number[],
): Bin[] {
  const [first, last] = [ticks[0], ticks.at(-1)];
  if (first === undefined || last === undefined || values.length === 0) return [];
  const parts = Math.max(1, Math.floor(MOST_BINS / (ticks.length - 1)));
  const count = (ticks.length - 1) * parts;
  const width = (last - first) / count;
  const bins = Array.from({ length: count }, (_, i): Bin => {
    const bound = (n: number) => Number((first + n * width).toPrecision(9));
    const of = { regressed: 0, improved: 0, both_right: 0, both_wrong: 0 };
    return { low: bound(i), high: bound(i + 1), count: 0, of };
  });
  values.forEach((value, i) => {
    const bin = bins[Math.min(count - 1, Math.max(0, Math.floor((value - first) / width)))];
    const quadrant = quadrants[i];
    if (!bin || !quadrant) return;
    bin.count += 1;
    bin.of[quadrant] += 1;
  });
  return bins;
}
