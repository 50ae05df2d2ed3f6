import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { schema } from "../test/schema";
import { Formula } from "./Formula";
import { lossOf, objectiveWords } from "./loss";
import { allFields, formModel } from "./schema";
import { type FormValues, toText } from "./values";

const DEFAULTS: FormValues = Object.fromEntries(
  allFields(formModel(schema)).map((field) => [field.path, toText(field, field.fallback)]),
);

function shown(changes: FormValues): string {
  const { unmount } = render(<Formula values={{ ...DEFAULTS, ...changes }} />);
  const text = screen.queryByTestId("formula")?.textContent ?? "";
  unmount();
  return text.replaceAll(/\s+/g, " ");
}

const on = (name: string): FormValues => ({ [`objective.${name}.enabled`]: true });

it.each<[string, FormValues, string]>([
  ["forward KL", {}, "Ey ∼ student 1|y| Σt KL(pT ‖ pS)Forward KL."],
  ["reverse KL", { "objective.alpha": "1" }, "Σt KL(pS ‖ pT)Reverse"],
  ["a mixture", { "objective.alpha": "0.3" }, "Σt JSD0.3(pT ‖ pS)Generalized"],
  ["its definition", { "objective.alpha": "0.3" }, "0.3 KL(pT ‖ m) + 0.7 KL(pS ‖ m), m = 0.7 pS"],
  ["the default ceiling", on("clipping"), "Σt min(KL(pT ‖ pS), 10)"],
  ["a ceiling", { ...on("clipping"), "objective.clipping.ceiling": "3" }, "pS), 3)"],
  [
    "a quantile",
    { ...on("clipping"), "objective.clipping.quantile": "0.9" },
    "c: the 0.9 quantile of the batch's divergences",
  ],
  ["agreement", { ...on("agreement"), ...on("clipping") }, "Σt wt · min(KL(pT ‖ pS), 10)"],
  [
    "a weight per sequence",
    { ...on("agreement"), "objective.agreement.level": "sequence" },
    "w = exp(−1 · d); d: variance",
  ],
  ["features", on("feature_matching"), "Σt [KL(pT ‖ pS) + 0.1 · mean (hS − hT)²]"],
  [
    "features alone",
    {
      ...on("feature_matching"),
      "objective.feature_matching.mode": "representation_only",
      "objective.alpha": "",
    },
    "Σt mean (hS − hT)²Feature matching in the divergence's place.",
  ],
  [
    "features in the divergence's place before the contrast",
    {
      ...on("contrastive"),
      ...on("feature_matching"),
      "objective.feature_matching.mode": "representation_only",
    },
    "Σt [mean (hS − hT)² + 0.1 · max(",
  ],
  [
    "cross-entropy",
    { "objective.loss": "cross_entropy", "objective.completions": "reference" },
    "Ey ∼ data 1|y| Σt −log pS(yt)Cross-entropy.",
  ],
  [
    "the moving average",
    { "teacher.weights": "ema", "teacher.ema.decay": "0.95" },
    "Teacher: θT ← 0.95 θT + 0.05 θS, every 10 steps",
  ],
  [
    "a weight that is still being typed",
    { ...on("contrastive"), "objective.contrastive.weight": "" },
    "+ λ · max(0, 0.5 + |s − t| − |s − n|)",
  ],
])("shows %s", (_, changes, expected) => {
  expect(shown(changes)).toContain(expected);
});

it("shows nothing while alpha is no mixture", () => {
  expect(shown({ "objective.alpha": "2" })).toBe("");
});

it("is told in a few words", () => {
  const words = (changes: FormValues) => {
    const loss = lossOf({ ...DEFAULTS, ...changes });
    return loss && objectiveWords(loss);
  };
  expect(words({ ...on("agreement"), ...on("clipping"), ...on("contrastive") })).toBe(
    "Forward KL, clipped + token agreement + contrastive",
  );
  expect(
    words({
      ...on("contrastive"),
      ...on("feature_matching"),
      "objective.feature_matching.mode": "representation_only",
    }),
  ).toBe("Features + contrastive");
  expect(words({ "objective.loss": "cross_entropy" })).toBe("Cross-entropy");
});
