/** What kinds, states and outcomes of exports are called. */
import { number } from "../lib/format";
import type { Check, Export, ExportKind } from "./queries";

export const KINDS: Record<ExportKind, { label: string; what: string }> = {
  adapter: { label: "Adapter", what: "PEFT layout, safetensors, with a model card" },
  ema_adapter: { label: "EMA adapter", what: "The moving average of the student, as an adapter" },
  merged: { label: "Merged model", what: "Base and adapter in one, for transformers alone" },
  gguf: { label: "GGUF", what: "The merged model as one file for llama.cpp" },
  hub: { label: "Push to the hub", what: "To a repository, with a token that is used once" },
};

const PHASES: Record<string, string> = {
  loading: "Loading",
  exporting: "Writing",
  checking: "Checking",
  pushing: "Pushing",
};

/** What an export is doing, in a few words. */
export function doing(one: Export): string {
  const { phase, detail } = one.progress;
  return detail || (phase ? (PHASES[phase] ?? phase) : "");
}

export const doneShare = (one: Export): number | null => {
  const { bytes, total_bytes: total } = one.progress;
  return bytes === null || !total ? null : bytes / total;
};

/** Whose weights, and of when. */
export function ofWhat(one: Export): string {
  const weights = one.weights === "ema" ? "EMA teacher" : "student";
  const when = one.checkpoint === null ? "final" : `checkpoint of step ${one.checkpoint}`;
  return `${weights}, ${when}`;
}

/** The check's outcome in a sentence. */
export function verdict(check: Check): string {
  const nats = `${number(check.mean_difference, 3)} nats apart on average`;
  if (!check.passed) return check.reason;
  if (check.same_tokens === check.tokens) {
    return `All ${check.tokens} greedy tokens are the original's; ${nats}.`;
  }
  return `${check.same_tokens} of ${check.tokens} greedy tokens are the same, then the original itself was undecided; ${nats}.`;
}
