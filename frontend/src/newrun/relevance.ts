/** Which fields mean something beside the others' values. */
import type { GroupModel } from "./schema";
import type { FormValues } from "./values";

/** What is named here has an effect only where another field has this value. */
const NEEDS: Record<string, readonly [path: string, value: string]> = {
  "objective.on_policy_share": ["objective.completions", "mixed"],
  "objective.alpha": ["objective.loss", "divergence"],
  "objective.normalize_by": ["objective.loss", "divergence"],
  "objective.clipping": ["objective.loss", "divergence"],
  "objective.agreement": ["objective.loss", "divergence"],
  "objective.agreement.embedding_model": ["objective.agreement.contexts", "retrieval"],
  "objective.contrastive": ["objective.loss", "divergence"],
  "objective.feature_matching": ["objective.loss", "divergence"],
  "objective.feature_matching.weight": ["objective.feature_matching.mode", "joint"],
  "teacher.ema": ["teacher.weights", "ema"],
  "teacher.use_rationale": ["objective.loss", "divergence"],
  "teacher.template": ["objective.loss", "divergence"],
};

export function hasEffect(path: string, values: FormValues): boolean {
  const need = NEEDS[path];
  return need === undefined || values[need[0]] === undefined || values[need[0]] === need[1];
}

/** Whether a group's own fields are to be shown: those of a mechanism that is off are not. */
export function isOpen(group: GroupModel, values: FormValues): boolean {
  return group.toggle ? values[group.toggle.path] === true : hasEffect(group.path, values);
}
