/** The loss that the form's values spell, for the formula and the summary. */
import type { FormValues } from "./values";

export type Source = "rollout" | "reference" | "mixed" | "presampled";

export interface Loss {
  source: Source;
  crossEntropy: boolean;
  /** Divergence's alpha; null where the divergence is no part of the loss. */
  alpha: number | null;
  /** The divergence's bound as it is written in the formula. */
  ceiling: { text: string; quantile: boolean } | null;
  agreement: {
    level: string;
    contexts: string;
    statistic: string;
    views: string;
    gamma: string;
    /** Whether weights are divided by their mean over the completion. */
    normalized: boolean;
  } | null;
  contrastive: { weight: string; margin: string } | null;
  /** Weight of the feature distance; null where it stands alone. */
  features: { weight: string | null } | null;
  teacher: string;
  ema: { decay: string; rest: string; every: string };
}

/** The loss, or null while alpha is not a number from 0 to 1. */
export function lossOf(values: FormValues): Loss | null {
  const text = (path: string) => String(values[path] ?? "").trim();
  const on = (path: string) => values[`${path}.enabled`] === true;
  const symbol = (path: string, otherwise: string) =>
    text(path) !== "" && Number.isFinite(Number(text(path))) ? text(path) : otherwise;
  const crossEntropy = text("objective.loss") === "cross_entropy";
  const taught = !crossEntropy;
  const alone =
    on("objective.feature_matching") &&
    text("objective.feature_matching.mode") === "representation_only";
  const typed = text("objective.alpha");
  const alpha = typed === "" ? Number.NaN : Number(typed);
  const compares = taught && !alone;
  if (compares && !(alpha >= 0 && alpha <= 1)) return null;
  const decay = symbol("teacher.ema.decay", "β");
  return {
    source: (text("objective.completions") || "rollout") as Source,
    crossEntropy,
    alpha: compares ? alpha : null,
    ceiling: compares && on("objective.clipping") ? ceilingOf(text) : null,
    agreement:
      compares && on("objective.agreement")
        ? {
            level: text("objective.agreement.level"),
            contexts: text("objective.agreement.contexts"),
            statistic: text("objective.agreement.statistic"),
            views: symbol("objective.agreement.views", "K"),
            gamma: symbol("objective.agreement.gamma", "γ"),
            normalized: text("objective.normalize_by") === "weights",
          }
        : null,
    contrastive:
      taught && on("objective.contrastive")
        ? {
            weight: symbol("objective.contrastive.weight", "λ"),
            margin: symbol("objective.contrastive.margin", "margin"),
          }
        : null,
    features:
      taught && on("objective.feature_matching")
        ? { weight: alone ? null : symbol("objective.feature_matching.weight", "λ") }
        : null,
    teacher: text("teacher.weights"),
    ema: {
      decay,
      rest: decay === "β" ? "(1 − β)" : String(+(1 - Number(decay)).toFixed(6)),
      every: symbol("teacher.ema.every_steps", "n"),
    },
  };
}

const DEFAULT_CEILING = "10";

function ceilingOf(text: (path: string) => string): Loss["ceiling"] {
  const quantile = text("objective.clipping.quantile");
  if (quantile) return { text: quantile, quantile: true };
  return { text: text("objective.clipping.ceiling") || DEFAULT_CEILING, quantile: false };
}

export function divergenceName(alpha: number): string {
  if (alpha === 0) return "Forward KL";
  if (alpha === 1) return "Reverse KL";
  return "Generalized Jensen–Shannon";
}

/** The objective in a few words. */
export function objectiveWords(loss: Loss): string {
  if (loss.crossEntropy) return "Cross-entropy";
  const parts = loss.features?.weight === null ? ["Features"] : [];
  if (loss.alpha !== null) {
    const name = divergenceName(loss.alpha);
    parts.push(loss.alpha > 0 && loss.alpha < 1 ? `${name}, α = ${loss.alpha}` : name);
  }
  if (loss.ceiling) parts.push("clipped");
  if (loss.agreement) parts.push(`${loss.agreement.level} agreement`);
  if (loss.contrastive) parts.push("contrastive");
  if (loss.features && loss.features.weight !== null) parts.push("features");
  return parts.join(" + ").replace(" + clipped", ", clipped");
}
