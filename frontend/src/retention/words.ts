/** How the states of a run's weights are called. */
import { integer } from "../lib/format";
import type { EvaluatedWeights } from "./queries";

export function nameOf(item: Pick<EvaluatedWeights, "weights" | "step" | "last">): string {
  if (item.weights === "base") return "base";
  const when = item.last ? `end, step ${integer(item.step)}` : `step ${integer(item.step)}`;
  return item.weights === "ema" ? `EMA, ${when}` : when;
}

/** Results that can stand on one line: of one set, over equally many questions. */
export const lineOf = (item: Pick<EvaluatedWeights, "set" | "questions">): string =>
  `${item.set} ${item.questions ?? ""}`;
