/** What places an example in the pictures. */
import type { Direction, Points } from "./queries";

export type Measure = "jsd" | "base_logprob";

export const DIRECTIONS: Record<Direction, { label: string; help: string }> = {
  forward: {
    label: "Model's answers",
    help: "The model's own answers, scored by base and model: how natural they still are to the base.",
  },
  reverse: {
    label: "Base's answers",
    help: "The base's answers, scored by base and model: whether the model could still say them.",
  },
  gold: {
    label: "References",
    help: "The reference answers, scored by base and model: how well each fits them.",
  },
};

export const MEASURES: Record<Measure, { label: string; title: string }> = {
  jsd: { label: "JSD to base", title: "JSD to base, nats per token" },
  base_logprob: { label: "Log p under base", title: "Log-probability under the base, per token" },
};

export const valuesOf = (points: Points, measure: Measure): readonly number[] => points[measure];
