import { expect, test } from "vitest";
import type { Evaluation } from "../api/types";
import { dropped, figure, interval } from "./figures";

const evaluation: Evaluation = {
  cursor: 1,
  attempt: 1,
  set: "cos_e",
  step: 0,
  time: 0,
  directory: "/x",
  summary: {
    accuracy: 0.25,
    dropped: { prompt_too_long: 2, image_question: 0 },
    retention: { forward: { jsd: { mean: 0.1 } } },
  },
  intervals: {
    accuracy: { estimate: 0.25, low: 0.204, high: 0.296, n: 100, level: 0.95, note: "" },
  },
};

test("figures are found at any depth, and missing ones are null", () => {
  expect(figure(evaluation, "accuracy")).toBe(0.25);
  expect(figure(evaluation, "retention", "forward", "jsd", "mean")).toBe(0.1);
  expect(figure(evaluation, "retention", "reverse", "jsd", "mean")).toBeNull();
  expect(figure(evaluation, "accuracy", "mean")).toBeNull();
});

test("an interval is told in whole percents, or not at all", () => {
  expect(interval(evaluation, "accuracy")).toBe("20–30");
  expect(interval(evaluation, "extracted")).toBeNull();
});

test("only reasons that left something out are told", () => {
  expect(dropped(evaluation)).toEqual([["prompt_too_long", 2]]);
});
