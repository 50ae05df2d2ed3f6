import { describe, expect, it } from "vitest";
import { diff, likeness } from "./diff";
import { asBody, draftOf, emptyDraft } from "./draft";
import { grown } from "./live";

describe("the difference of words", () => {
  it("marks what the other text lacks and keeps every character", () => {
    const text = "The  capital of France\nis Paris, I think.";
    const pieces = diff(text, "The capital of Spain is Paris.");
    expect(pieces.map((one) => one.text).join("")).toBe(text);
    const marked = pieces.filter((one) => !one.common).map((one) => one.text.trim());
    expect(marked).toEqual(["France", "Paris, I think."]);
  });
  it("finds nothing in equal texts and everything in others", () => {
    expect(diff("a b", "a b")).toEqual([{ text: "a b", common: true }]);
    expect(diff("a b", "c")).toEqual([{ text: "a b", common: false }]);
    expect(diff("", "c")).toEqual([]);
    expect(likeness("a b", "a c")).toBe(0.5);
    expect(likeness("", "")).toBe(1);
  });
});

it("adds what the stream tells to the answers", () => {
  const one = grown(
    [],
    [
      [0, 0, "He", 1, null],
      [1, 0, "x", 1, null],
    ],
  );
  const two = grown(one, [[0, 0, "llo", 2, "end"]]);
  expect(two.map(({ column, text, tokens, end }) => [column, text, tokens, end])).toEqual([
    [0, "Hello", 3, "end"],
    [1, "x", 1, null],
  ]);
});

it("asks one thing, and again what was asked", () => {
  const draft = { ...emptyDraft(["r1"]), prompt: "Why?", demonstration: "unused" };
  const body = asBody(draft);
  expect(body).toMatchObject({ prompt: "Why?", record: null, question: null, demonstration: null });
  expect(body.columns.map((one) => [one.run_id, one.weights])).toEqual([
    ["r1", "base"],
    ["r1", "adapter"],
  ]);
  expect(asBody(draftOf({ ...body, name: null }))).toEqual(body);
});
