/** Which weights of a run can be evaluated, and what is sent for it. */
import type { ExportOptions } from "../artifacts/queries";
import { integer } from "../lib/format";
import type { EvaluatedWeights, EvaluationCreate, EvaluationSet } from "./queries";

export interface WeightsOption {
  key: string;
  label: string;
  /** Whether there is a result on the chosen questions. */
  known: boolean;
  weights: "adapter" | "ema_adapter";
  checkpoint: number | null;
}

export function optionsOf(
  options: Pick<ExportOptions, "has_adapter" | "has_ema" | "checkpoints">,
  items: readonly Pick<EvaluatedWeights, "set" | "jsd" | "weights" | "step" | "last">[],
  set: string | undefined,
  end: number | null,
): WeightsOption[] {
  const kinds = options.has_ema ? (["adapter", "ema_adapter"] as const) : (["adapter"] as const);
  const places = [
    ...(options.has_adapter ? [null] : []),
    ...options.checkpoints.map((one) => one.step),
  ];
  return places.flatMap((checkpoint) =>
    kinds.map((weights): WeightsOption => {
      const where = checkpoint === null ? "At the run's end" : `Step ${integer(checkpoint)}`;
      return {
        key: `${weights} ${checkpoint ?? ""}`,
        label: weights === "ema_adapter" ? `${where}, EMA` : where,
        known: items.some(
          (item) =>
            item.set === set &&
            item.jsd !== null &&
            item.weights === (weights === "adapter" ? "student" : "ema") &&
            (item.step === (checkpoint ?? end) || (checkpoint === null && item.last)),
        ),
        weights,
        checkpoint,
      };
    }),
  );
}

export const toRequests = (
  runId: string,
  set: EvaluationSet,
  chosen: readonly WeightsOption[],
): EvaluationCreate[] =>
  chosen.map(({ weights, checkpoint }) => ({
    run_id: runId,
    weights,
    ...(checkpoint === null ? {} : { checkpoint }),
    sets: [{ ...set, retention: true }],
    seed: 42,
    device: "auto",
  }));

/** A set of questions under a short name; the server fills in what is left out. */
export function setOf(
  kind: "dataset" | "benchmark",
  source: string,
  limit: number | null,
  tokens: number,
): EvaluationSet {
  const short = source
    .replace(/@\d+$/, "")
    .toLowerCase()
    .replace(/[^a-z0-9_.-]+/g, "_")
    .replace(/^[_.-]+/, "")
    .slice(0, 100);
  const wanted = { name: short || "questions", [kind]: source, max_new_tokens: tokens, limit };
  return { ...wanted, retention: true } as unknown as EvaluationSet;
}
