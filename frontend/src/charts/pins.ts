/** Alarms at their step, on the curves that they speak of. */
import type { Alarm } from "../api/types";
import type { LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import { stepsOn } from "./axes";
import type { Pin } from "./curve";
import type { ChartSpec } from "./specs";

/** What the curve of an alarm is; all alarms stand on the loss as well. */
const METRICS: Record<string, readonly string[]> = {
  teacher_equals_student: ["train/divergence"],
  divergence_exploded: ["train/divergence"],
  everything_clipped: ["train/clipped_share"],
  no_loss_tokens: ["train/masked_share", "train/truncated_share"],
  teacher_scores_missing: ["train/contrastive/without_negative"],
  completions_collapsed: ["train/completion_length"],
  completions_endless: ["train/truncated_share"],
  completions_repetitive: ["train/repeated_share"],
  entropy_collapsed: ["train/entropy/student"],
  loss_not_finite: ["train/grad_norm"],
};

export function pinsOf(
  spec: ChartSpec,
  alarms: readonly Alarm[],
  state: LiveState,
  axis: XAxis,
): Pin[] {
  const metrics = new Set(spec.lines.map((line) => line.metric));
  const spoken = alarms.filter(
    ({ code, attempt }) =>
      (attempt === null || attempt === state.attempt) &&
      (metrics.has("train/loss") || METRICS[code]?.some((metric) => metrics.has(metric))),
  );
  if (spoken.length === 0) return [];
  const ordered = [...spoken].sort((a, b) => a.step - b.step);
  const x = stepsOn(
    ordered.map((alarm) => alarm.step),
    axis,
    state,
  );
  return ordered.map((alarm, i) => ({
    id: `${alarm.cursor}`,
    x: x[i] ?? alarm.step,
    text: `Step ${alarm.step}: ${alarm.message}`,
    tone: alarm.severity === "error" ? "bad" : "warn",
  }));
}
