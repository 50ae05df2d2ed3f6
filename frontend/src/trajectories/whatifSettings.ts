/** From a run's configuration and a trajectory to what-if, and what is changed there to the URL. */
import type { RunDetail, TrajectoryDetail } from "../api/types";
import { LOOKS } from "./colours";
import { QUANTITIES, type Quantity } from "./search";
import { type LossRecord, type LossSettings, type Outcome, tokenLoss } from "./whatif";

/** The ceiling where clipping is on and no other is given (`core.objective_config`). */
export const DEFAULT_CEILING = 10;

/** The loss that the run was trained with; null for what is no training. */
export function settingsOf(config: RunDetail["config"]): LossSettings | null {
  if (!("objective" in config) || !config.objective) return null;
  const { objective } = config;
  const { agreement, clipping, contrastive, feature_matching: feature } = objective;
  const crossEntropy = objective.loss === "cross_entropy";
  const alone = feature?.enabled === true && feature.mode === "representation_only";
  return {
    divergence: !crossEntropy && !alone,
    crossEntropy,
    agreement: agreement?.enabled
      ? {
          level: agreement.level ?? "token",
          statistic: agreement.statistic ?? "variance",
          gamma: agreement.gamma ?? 1,
        }
      : null,
    clip: clipping?.enabled
      ? typeof clipping.quantile === "number"
        ? { quantile: clipping.quantile }
        : { ceiling: clipping.ceiling ?? DEFAULT_CEILING }
      : null,
    contrastive: contrastive?.enabled
      ? { margin: contrastive.margin ?? 0.5, weight: contrastive.weight ?? 0.1 }
      : null,
    feature: feature?.enabled ? (alone ? 1 : (feature.weight ?? 0.1)) : null,
    divisor: objective.normalize_by ?? "tokens",
  };
}

type Values = (token: TrajectoryDetail["token_values"][number]) => number | null;

/** A value of every token, or null where some token lacks it. */
function column(item: TrajectoryDetail, of: Values): number[] | null {
  const values = item.token_values.map(of);
  return values.every((value) => value !== null) ? (values as number[]) : null;
}

export function recordOf(item: TrajectoryDetail): LossRecord {
  const { token_values: tokens, settings } = item;
  const views = tokens[0]?.auxiliary_logprobs?.length ?? 0;
  const { agreement_scale_variance: variance, agreement_scale_range: range } = settings ?? {};
  return {
    student: tokens.map((token) => token.student_logprob),
    teacher: column(item, (token) => token.teacher_logprob),
    negative: column(item, (token) => token.negative_logprob),
    auxiliary: views
      ? Array.from({ length: views }, (_, k) =>
          tokens.map((token) => token.auxiliary_logprobs?.[k] ?? 0),
        )
      : null,
    divergence: column(item, (token) => token.divergence),
    feature: column(item, (token) => token.feature_distance),
    counted: settings?.counted ?? true,
    sequences: settings?.batch_sequences ?? null,
    scales: typeof variance === "number" && typeof range === "number" ? { variance, range } : null,
    ceiling: settings?.clip_ceiling ?? null,
    quantiles: settings?.divergence_quantiles ?? null,
  };
}

/** The quantities that what-if computes anew; the others stay as they were recorded. */
export function changedValues(
  by: Quantity,
  record: LossRecord,
  after: Outcome,
): readonly (number | null)[] | null {
  if (by === "weight") return after.weight;
  if (by === "disagreement") return after.disagreement;
  if (by === "contrastive") return record.negative && after.contrastive;
  if (by === "clipped") {
    return record.divergence?.map((d, i) => d - (after.clipped?.[i] ?? d)) ?? null;
  }
  if (by === "contribution") {
    const { sequences } = record;
    return sequences === null ? null : tokenLoss(after).map((share) => share / sequences);
  }
  return null;
}

/** Every quantity's values, recomputed where a what-if is there, and those that some token has. */
export function valuesOf(
  item: TrajectoryDetail,
  by: Quantity,
  record: LossRecord,
  after: Outcome | null,
): readonly (number | null)[] {
  const changed = after && changedValues(by, record, after);
  return changed ?? item.token_values.map(LOOKS[by].of);
}

/** Quantities that some token has: those of a mechanism that is off are absent. */
export const present = (
  item: TrajectoryDetail,
  record: LossRecord,
  after: Outcome | null,
): Quantity[] =>
  QUANTITIES.filter((name) => valuesOf(item, name, record, after).some((value) => value !== null));

const OFF = "off";

function spelled(settings: LossSettings): Record<string, string> {
  const { agreement, clip, contrastive, feature } = settings;
  return {
    agreement: agreement ? `${agreement.level}_${agreement.statistic}_${agreement.gamma}` : OFF,
    clip: clip ? ("quantile" in clip ? `q_${clip.quantile}` : `c_${clip.ceiling}`) : OFF,
    contrastive: contrastive ? `${contrastive.margin}_${contrastive.weight}` : OFF,
    feature: feature === null ? OFF : String(feature),
    by: settings.divisor,
  };
}

/** What differs from the run's own settings, for the URL: `agreement_token_variance_2 clip_q_0.9`. */
export function written(after: LossSettings, own: LossSettings): string | undefined {
  const before = spelled(own);
  const changed = Object.entries(spelled(after)).filter(([key, value]) => value !== before[key]);
  return changed.map(([key, value]) => `${key}_${value}`).join(" ") || undefined;
}

/** Settings from what `written` gave; anything else there is passed over. */
export function read(text: string | undefined, own: LossSettings): LossSettings {
  const after = { ...own };
  for (const part of text?.split(" ") ?? []) {
    const [key, ...rest] = part.split("_");
    const amount = (i: number) => {
      const value = rest[i] === "" ? Number.NaN : Number(rest[i]);
      return Number.isFinite(value) && value >= 0 ? value : null;
    };
    const [one, two] = [amount(0), amount(1)];
    const off = rest[0] === OFF;
    if (key === "by" && (rest[0] === "weights" || rest[0] === "tokens")) after.divisor = rest[0];
    if (key === "feature" && (off || one !== null)) after.feature = one;
    if (key === "contrastive" && off) after.contrastive = null;
    if (key === "contrastive" && one !== null && two !== null) {
      after.contrastive = { margin: one, weight: two };
    }
    if (key === "clip" && off) after.clip = null;
    if (key === "clip" && two !== null) {
      if (rest[0] === "q" && two > 0 && two < 1) after.clip = { quantile: two };
      if (rest[0] === "c" && two > 0) after.clip = { ceiling: two };
    }
    if (key === "agreement" && off) after.agreement = null;
    const gamma = amount(2);
    if (key === "agreement" && gamma !== null) {
      after.agreement = {
        level: rest[0] === "sequence" ? "sequence" : "token",
        statistic: rest[1] === "range" ? "range" : "variance",
        gamma,
      };
    }
  }
  return after;
}
