import { expect, it } from "vitest";
import { studySearch } from "../searches";
import type { StudyTable } from "./api";
import { spread } from "./InteractionPlot";
import { againstOf, layoutOf, pairsOf, rolesOf, tableOf, toggled, viewOf } from "./view";
import { deviceTime, shape, stateCounts, tokenCount, unfinishedRuns } from "./words";

const FACTORS = ["ema", "contrastive", "clip"];
const table = (change: Partial<StudyTable>): StudyTable => ({
  metric: "eval/nll",
  row_factors: ["ema"],
  column_factors: ["contrastive"],
  averaged: ["clip"],
  fixed: {},
  rows: [],
  columns: [],
  cells: [],
  ...change,
});

it("moves a factor, and the URL brings back the same table", () => {
  const roles = rolesOf(table({}), FACTORS);
  expect(roles).toEqual({ ema: "row", contrastive: "column", clip: "average" });
  const url = studySearch(layoutOf({ ...roles, clip: "=on", contrastive: "average" }));
  expect(url).toEqual({ rows: "ema", fix: "clip=on" });
  expect(tableOf(url, "eval/nll")).toEqual({ metric: "eval/nll", row: ["ema"], fix: ["clip=on"] });
  const fixed = table({ column_factors: [], averaged: ["contrastive"], fixed: { clip: "on" } });
  expect(rolesOf(fixed, FACTORS)).toEqual({ ema: "row", contrastive: "average", clip: "=on" });
});

it("asks the server only for what differs from the plan", () => {
  expect(viewOf({})).toEqual({});
  expect(tableOf({}, "eval/nll")).toEqual({ metric: "eval/nll" });
  const plan = { ema: "off", clip: "off" };
  expect(againstOf({ ema: "off", clip: "off" }, plan)).toBeUndefined();
  const against = againstOf({ ema: "off", clip: "on" }, plan);
  expect(viewOf({ against, metric: "a", more: "b,a" })).toEqual({
    metric: ["b", "a"],
    baseline: ["clip=on"],
  });
});

it("adds and removes one of several, and pairs factors", () => {
  expect(toggled(undefined, "a")).toBe("a");
  expect(toggled("a,b", "a")).toBe("b");
  expect(toggled("a", "a")).toBeUndefined();
  expect(pairsOf(FACTORS)).toEqual([
    ["ema", "contrastive"],
    ["ema", "clip"],
    ["contrastive", "clip"],
  ]);
});

it("says what a study is made of and where it stands", () => {
  const factors = { ema: ["off", "on"], clip: ["off", "on"], task: ["a", "b", "c"] };
  expect(shape({ factors, combinations: 12, seeds: 3 })).toBe("2 × 2 × 3, 3 seeds");
  expect(shape({ factors, combinations: 11, seeds: 1 })).toBe("2 × 2 × 3 \u2212 1, 1 seed");
  expect(shape({ factors: {}, combinations: 1, seeds: 2 })).toBe("1 cell, 2 seeds");
  const runs = { failed: 1, succeeded: 20, queued: 2 };
  expect(stateCounts(runs)).toBe("2 queued, 20 succeeded, 1 failed");
  // One of the 24 was deleted.
  expect(unfinishedRuns({ runs, combinations: 12, seeds: 2 })).toBe(2);
});

it("shows cost in units that people use", () => {
  expect(deviceTime({ device_seconds: null })).toBe("–");
  expect(deviceTime({ device_seconds: 5000 })).toBe("1 h 23 m");
  expect(deviceTime({ device_seconds: 72_000 })).toBe("20.0 h");
  expect(tokenCount(null)).toBe("–");
  expect(tokenCount(9400)).toBe("9,400");
  expect(tokenCount(45_240)).toBe("45.2 k");
  expect(tokenCount(1_340_000)).toBe("1.3 M");
});

it("moves labels apart that would cover each other", () => {
  expect(spread([50, 52, null, 200])).toEqual([50, 64, null, 200]);
  expect(spread([52, 50])).toEqual([64, 50]);
});
