import { expect, test } from "vitest";
import type { Strip } from "../api/types";
import { optionsOf, setOf, toRequests } from "./evaluate";
import { histogram, jitter, type Quadrant } from "./quadrants";
import { rangeOf, rowsOf } from "./rows";
import { presentIn, ranked, sharedScale } from "./tokens";

test("every value is in one bar, and every bar adds up by who was right", () => {
  const values = [0, 0.05, 0.1, 0.195, 0.2];
  const quadrants: Quadrant[] = ["both_right", "regressed", "regressed", "improved", "both_wrong"];
  const bins = histogram(values, quadrants, [0, 0.1, 0.2]);
  expect(bins).toHaveLength(24);
  expect(bins.reduce((sum, bin) => sum + bin.count, 0)).toBe(values.length);
  for (const bin of bins) {
    expect(Object.values(bin.of).reduce((sum, count) => sum + count, 0)).toBe(bin.count);
  }
  expect(bins.at(-1)?.of).toMatchObject({ both_wrong: 1, improved: 1 });
  expect(bins[12]).toMatchObject({ low: 0.1, count: 1 });
  expect(histogram([], [], [0, 1])).toEqual([]);
});

test("an example keeps its place however often it is drawn", () => {
  const places = Array.from({ length: 500 }, (_, i) => jitter(i, 0));
  expect(places).toEqual(Array.from({ length: 500 }, (_, i) => jitter(i, 0)));
  expect(Math.max(...places.map(Math.abs))).toBeLessThanOrEqual(1);
  const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
  expect(Math.abs(mean)).toBeLessThan(0.15);
});

test("the address narrows the table, and nonsense in it does not", () => {
  expect(rangeOf("0.02..0.04")).toEqual({ low: 0.02, high: 0.04 });
  expect(rangeOf("-1.5..-1")).toEqual({ low: -1.5, high: -1 });
  for (const text of [undefined, "x..1", "1", "1..2..3"]) expect(rangeOf(text)).toBeNull();
  expect(rowsOf({ page: 2, bin: "0.1..0.2", quadrant: "regressed" })).toEqual({
    limit: 50,
    offset: 50,
    sort: "gain",
    quadrant: "regressed",
    min_jsd: 0.1,
    max_jsd: 0.2,
  });
  expect(rowsOf({ bin: "-2..-1", measure: "base_logprob" })).toMatchObject({
    min_base_logprob: -2,
    max_base_logprob: -1,
  });
});

const strip = (jsd: number[], more: Partial<Strip> = {}): Strip => ({
  tokens: jsd.length,
  base_logprob: -1,
  tuned_logprob: -1,
  jsd: 0,
  pieces: jsd.map(String),
  token_jsd: jsd,
  ...more,
});

test("both answers share a scale, and what was not kept is not offered", () => {
  const both = [strip([0, 0.1]), strip([0.3])];
  expect(presentIn(both)).toEqual(["jsd"]);
  expect(sharedScale(both, "jsd", false).high).toBe(0.3);
  expect(sharedScale(both, "jsd", true).high).toBe(Math.LN2);
  const kept = strip([0, 0], { token_base_logprob: [-1, -4], token_tuned_logprob: [-2, -1] });
  expect(presentIn([kept])).toEqual(["jsd", "gap", "base", "tuned"]);
  expect(sharedScale([kept], "gap", false)).toEqual({ low: -3, high: 3, signed: true });
  expect(ranked([0.1, -3, 2])).toEqual([1, 2, 0]);
});

test("a checkpoint is asked as the others were, and compared with the base", () => {
  const known = { set: "own", jsd: 0.1, weights: "student" as const, step: 2, last: false };
  const options = optionsOf(
    { has_adapter: true, has_ema: true, checkpoints: [{ step: 4 }, { step: 2 }] },
    [known],
    "own",
    9,
  );
  expect(options.map((one) => [one.label, one.known])).toEqual([
    ["At the run's end", false],
    ["At the run's end, EMA", false],
    ["Step 4", false],
    ["Step 4, EMA", false],
    ["Step 2", true],
    ["Step 2, EMA", false],
  ]);
  const set = setOf("dataset", "My Sums@3", null, 32);
  expect(set).toMatchObject({ name: "my_sums", dataset: "My Sums@3", retention: true });
  const chosen = options.filter((one) => one.label === "Step 4, EMA" || one.label.endsWith("end"));
  expect(toRequests("r", { ...set, retention: false }, chosen)).toMatchObject([
    { run_id: "r", weights: "adapter", sets: [{ retention: true }] },
    { run_id: "r", weights: "ema_adapter", checkpoint: 4 },
  ]);
});
