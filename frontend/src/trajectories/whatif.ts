/**
 * The terms of the loss from a record's values alone, by the trainer's formulas
 * (`worker/trainer/mechanisms.py`), for one trajectory and in double precision.
 */

const SMALLEST_SCALE = 1e-6;
const SCALE_QUANTILE = 0.95;
const LARGEST_RATIO = 10;
const LEAST_TOKEN_WEIGHT = 0.01;
const LEAST_SEQUENCE_WEIGHT = 1e-6;

export type Level = "token" | "sequence";
export type Spread = "variance" | "range";
export type Divisor = "tokens" | "weights";
export const TERMS = ["divergence", "contrastive", "feature_matching", "cross_entropy"] as const;
export type Term = (typeof TERMS)[number];

/** The settings of the loss; null is a mechanism that is off. */
export interface LossSettings {
  /** Whether D is a term of the loss, and whether it imitates instead. */
  divergence: boolean;
  crossEntropy: boolean;
  agreement: { level: Level; statistic: Spread; gamma: number } | null;
  clip: { ceiling: number } | { quantile: number } | null;
  contrastive: { margin: number; weight: number } | null;
  /** Its weight; 1 where it stands alone. */
  feature: number | null;
  divisor: Divisor;
}

/** What one trajectory's record holds. Lists have one value a token. */
export interface LossRecord {
  student: readonly number[];
  teacher: readonly number[] | null;
  negative: readonly number[] | null;
  /** One list a view. */
  auxiliary: readonly (readonly number[])[] | null;
  divergence: readonly number[] | null;
  feature: readonly number[] | null;
  /** Tokens that the loss counts: none of a truncated rollout where those are masked. */
  counted: boolean;
  /** Sequences of the global batch; null for a rollout outside of it. */
  sequences: number | null;
  /** What the trainer took over the whole batch: scales of the disagreement, ceiling of D. */
  scales: Record<Spread, number> | null;
  ceiling: number | null;
  /** Quantiles of D over the batch, from the least to the greatest in even steps. */
  quantiles: readonly number[] | null;
}

/** Whether a number came from the run's batch, or could be taken over this trajectory only. */
export type Origin = "given" | "batch" | "trajectory";

export interface Outcome {
  disagreement: number[] | null;
  weight: number[] | null;
  clipped: number[] | null;
  contrastive: number[] | null;
  /** Each token's share in the mean of this trajectory: together they are its loss. */
  shares: Partial<Record<Term, number[]>>;
  scale: { value: number; of: Origin } | null;
  ceiling: { value: number; of: Origin } | null;
}

/** Empirical quantile with linear interpolation, at least 1e-6. */
export function quantile(values: readonly number[], q: number): number {
  const ordered = [...values].sort((a, b) => a - b);
  const place = q * (ordered.length - 1);
  const low = Math.max(0, Math.trunc(place));
  const left = ordered[low];
  if (left === undefined) return SMALLEST_SCALE;
  const right = ordered[Math.min(low + 1, ordered.length - 1)] ?? left;
  return Math.max(SMALLEST_SCALE, left + (place - low) * (right - left));
}

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Disagreement of the views on one token: variance (ddof 1 if unbiased, else 0) or range. */
export function spread(values: readonly number[], how: Spread, unbiased: boolean): number {
  if (how === "range") return Math.max(...values) - Math.min(...values);
  const middle = mean(values);
  const sum = values.reduce((total, value) => total + (value - middle) ** 2, 0);
  return sum / (values.length - (unbiased ? 1 : 0));
}

function tokenWeights(disagreement: readonly number[], scale: number, gamma: number): number[] {
  return disagreement.map((d) =>
    Math.max(LEAST_TOKEN_WEIGHT, 1 / (1 + gamma * Math.min(d / scale, LARGEST_RATIO))),
  );
}

type Weighed = Pick<Outcome, "disagreement" | "weight" | "scale">;

function weigh(record: LossRecord, { agreement }: LossSettings): Weighed {
  const views = record.auxiliary;
  if (!agreement || !views) return { disagreement: null, weight: null, scale: null };
  const { level, statistic, gamma } = agreement;
  const all = record.student.map((_, i) => i);
  if (level === "sequence") {
    const d = spread(views.map(mean), statistic, false);
    const w = Math.max(LEAST_SEQUENCE_WEIGHT, Math.exp(-gamma * d));
    return {
      disagreement: all.map(() => d),
      weight: record.counted ? all.map(() => w) : null,
      scale: null,
    };
  }
  const disagreement = all.map((i) => {
    const said = views.map((view) => view[i] ?? 0);
    return spread(said, statistic, true);
  });
  const scale: Outcome["scale"] = record.scales
    ? { value: record.scales[statistic], of: "batch" }
    : { value: quantile(disagreement, SCALE_QUANTILE), of: "trajectory" };
  const weight = record.counted ? tokenWeights(disagreement, scale.value, gamma) : null;
  return { disagreement, weight, scale };
}

function ceilingOf(
  record: LossRecord,
  settings: LossSettings,
  own: LossSettings,
): Outcome["ceiling"] {
  const { clip } = settings;
  if (!clip || !record.divergence) return null;
  if ("ceiling" in clip) return { value: clip.ceiling, of: "given" };
  const before = own.clip && "quantile" in own.clip ? own.clip.quantile : null;
  if (record.ceiling !== null && before === clip.quantile) {
    return { value: record.ceiling, of: "batch" };
  }
  // The record keeps the batch's quantiles on an even grid; between them, nearly linear.
  const [values, of]: [readonly number[], Origin] = record.quantiles
    ? [record.quantiles, "batch"]
    : [record.divergence, "trajectory"];
  return { value: quantile(values, clip.quantile), of };
}

/** max(0, margin + |s − t| − |s − n|); 0 where the record had no negative teacher. */
function contrast(record: LossRecord, margin: number): number[] | null {
  const { student, teacher, negative } = record;
  if (!teacher) return null;
  return student.map((s, i) => {
    const n = negative?.[i];
    if (n === undefined) return 0;
    return Math.max(0, margin + Math.abs(s - (teacher[i] ?? 0)) - Math.abs(s - n));
  });
}

/** Each token's share of the mean: m·w·v / Σ m, or / Σ m·w. */
function sharesOf(
  values: readonly number[],
  record: LossRecord,
  weights: readonly number[] | null = null,
  divisor: Divisor = "tokens",
): number[] {
  const mask = record.counted ? 1 : 0;
  const weighted = values.map((_, i) => mask * (weights?.[i] ?? 1));
  const total =
    divisor === "tokens" ? mask * values.length : weighted.reduce((sum, w) => sum + w, 0);
  return values.map((value, i) => (value * (weighted[i] ?? 0)) / (total > 0 ? total : 1));
}

const scaled = (values: number[], by: number) => values.map((value) => value * by);

/**
 * Weights, clipping and every term of the loss under `settings`. `own` are those of the run: where
 * both ask for the same quantile, its ceiling over the whole batch is known.
 */
export function recompute(record: LossRecord, settings: LossSettings, own: LossSettings): Outcome {
  const weighed = weigh(record, settings);
  const ceiling = ceilingOf(record, settings, own);
  const clipped = ceiling && (record.divergence?.map((d) => Math.min(d, ceiling.value)) ?? null);
  const contrastive = settings.contrastive && contrast(record, settings.contrastive.margin);
  const shares: Outcome["shares"] = {};
  if (settings.crossEntropy) {
    shares.cross_entropy = sharesOf(
      record.student.map((s) => -s),
      record,
    );
  }
  const divergence = clipped ?? record.divergence;
  if (settings.divergence && divergence) {
    shares.divergence = sharesOf(divergence, record, weighed.weight, settings.divisor);
  }
  if (settings.contrastive && contrastive) {
    shares.contrastive = scaled(sharesOf(contrastive, record), settings.contrastive.weight);
  }
  if (settings.feature !== null && record.feature) {
    shares.feature_matching = scaled(sharesOf(record.feature, record), settings.feature);
  }
  return { ...weighed, clipped, contrastive, shares, ceiling };
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** The mean of each term over this trajectory, weights included; its loss is their sum. */
export function termsOf(outcome: Outcome): Partial<Record<Term, number>> {
  const entries = Object.entries(outcome.shares).map(([term, values]) => [term, total(values)]);
  return Object.fromEntries(entries);
}

export const lossOf = (outcome: Outcome): number => total(Object.values(termsOf(outcome)));

/** Each token's part of the loss, all terms together. */
export function tokenLoss(outcome: Outcome): number[] {
  const lists = Object.values(outcome.shares);
  return (lists[0] ?? []).map((_, i) => total(lists.map((values) => values[i] ?? 0)));
}
