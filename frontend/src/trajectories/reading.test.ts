import { describe, expect, it } from "vitest";
import { compared, words } from "./folding";
import { ranksOf, stepped } from "./ranks";
import { quoted, spoken, visible } from "./visible";
import { type LossRecord, type LossSettings, lossOf, quantile, recompute, spread } from "./whatif";
import { read, written } from "./whatifSettings";

const RECORD: LossRecord = {
  student: [-1, -2],
  teacher: [-1.5, -2],
  negative: [-1, -4],
  auxiliary: [
    [-1, -2],
    [-3, -2],
  ],
  divergence: [0.5, 3],
  feature: [0.2, 0.4],
  counted: true,
  sequences: 4,
  scales: { variance: 4, range: 2 },
  ceiling: null,
  quantiles: null,
};
const OWN: LossSettings = {
  divergence: true,
  crossEntropy: false,
  agreement: { level: "token", statistic: "variance", gamma: 1 },
  clip: { ceiling: 2 },
  contrastive: { margin: 0.5, weight: 0.1 },
  feature: 0.1,
  divisor: "tokens",
};

describe("what-if", () => {
  it("weighs, clips and adds up by the formulas", () => {
    const found = recompute(RECORD, OWN, OWN);
    expect(found.disagreement).toEqual([2, 0]);
    expect(found.weight).toEqual([1 / (1 + 2 / 4), 1]);
    expect(found.clipped).toEqual([0.5, 2]);
    // margin + |s − t| − |s − n|
    expect(found.contrastive).toEqual([1, 0]);
    const divergence = (0.5 / 1.5 + 2) / 2;
    expect(lossOf(found)).toBeCloseTo(divergence + (0.1 * 1) / 2 + (0.1 * 0.6) / 2, 12);
  });

  it("takes one weight for all tokens of a sequence, which cancels where weights divide", () => {
    const agreement = { level: "sequence", statistic: "variance", gamma: 1 } as const;
    const by = (divisor: "tokens" | "weights") =>
      recompute(RECORD, { ...OWN, agreement, divisor }, OWN);
    // Means −1.5 and −2.5: variance 0.25 with ddof 0.
    expect(by("tokens").weight?.[0]).toBeCloseTo(Math.exp(-0.25), 12);
    expect(by("weights").shares.divergence).toEqual([0.25, 1]);
  });

  it("says what it took from the batch, and what from this trajectory alone", () => {
    const clip = { quantile: 0.5 };
    expect(recompute(RECORD, { ...OWN, clip }, OWN).ceiling).toEqual({
      value: 1.75,
      of: "trajectory",
    });
    const known = { ...RECORD, quantiles: [0, 1, 5], scales: null };
    const found = recompute(known, { ...OWN, clip }, OWN);
    expect(found.ceiling).toEqual({ value: 1, of: "batch" });
    expect(found.scale?.of).toBe("trajectory");
  });

  it("lets a rollout that is masked add nothing", () => {
    const found = recompute({ ...RECORD, counted: false }, OWN, OWN);
    expect([found.weight, lossOf(found)]).toEqual([null, 0]);
  });

  it("has the trainer's quantile and spread", () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([], 0.5)).toBe(1e-6);
    expect([spread([1, 3, 5], "range", true), spread([1, 3, 5], "variance", true)]).toEqual([4, 4]);
  });

  it("stands in the address as what differs, and nonsense there is passed over", () => {
    const text = "agreement_sequence_range_2.5 clip_q_0.9 contrastive_1_0.2 feature_off by_weights";
    expect(written(read(text, OWN), OWN)).toBe(text);
    expect(written(OWN, OWN)).toBeUndefined();
    const odd = "clip_q_2 clip_c_0 contrastive_x_1 agreement_token_range_ feature_-1 by_nothing x";
    expect(read(odd, OWN)).toEqual(OWN);
  });
});

describe("tokens", () => {
  it("that one would not see are made visible", () => {
    expect([visible(""), visible(" "), visible("a b"), visible("\n\n")]).toEqual([
      "∅",
      "␣",
      "a b",
      "⏎\n⏎\n",
    ]);
    expect([visible("\u200b"), visible("\t"), quoted(" a\n")]).toEqual(["⟨200B⟩", "⇥", "␣a⏎"]);
    expect(visible("👩\u200d🔬")).toBe("👩\u200d🔬");
    expect([spoken(" "), spoken("\u200b"), spoken("a")]).toEqual([
      "␣ space",
      "⟨200B⟩ invisible sign",
      undefined,
    ]);
  });

  it("are ranked by size, or from the least on, and stepped through", () => {
    const ranks = ranksOf([0.1, null, -3, 2]);
    expect(ranks.order).toEqual([2, 3, 0]);
    expect(ranks.rank).toEqual([3, null, 1, 2]);
    expect(ranksOf([0.1, 1, 0.5], true).order).toEqual([0, 2, 1]);
    expect([null, 2, 0].map((from) => stepped(ranks, from, 1))).toEqual([2, 3, 2]);
    expect(stepped(ranks, null, -1)).toBe(0);
  });
});

describe("two prompts", () => {
  it("show their difference, and fold what they share", () => {
    const shared = Array.from({ length: 100 }, (_, i) => `word${i}`).join(" ");
    const pieces = compared(`${shared} What is a dog`, `${shared} What is the cat`);
    expect(pieces.map(({ kind }) => kind)).toEqual(["folded", "same", "removed", "added"]);
    expect(words(pieces[0]?.text ?? "")).toBeGreaterThan(80);
    expect(pieces.slice(2).map(({ text }) => text)).toEqual(["a dog", "the cat"]);
    expect(compared("same", "same")).toEqual([{ kind: "same", text: "same" }]);
  });
});
