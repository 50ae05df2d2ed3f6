import { beforeEach, expect, it } from "vitest";
import { type Draft, loadDraft, saveDraft } from "./draft";

const draft: Draft = {
  preset: "ema",
  name: "n",
  projectId: "",
  values: { "training.seed": "1" },
  grid: {},
  text: null,
};

beforeEach(() => sessionStorage.clear());

it("gives back what was kept, for the same beginning", () => {
  saveDraft("from ", draft);
  expect(loadDraft("from ", "ema")).toEqual(draft);
  expect(loadDraft("from ", null)).toEqual(draft);
  expect(loadDraft("from ", "sdft")).toBeNull();
  expect(loadDraft("other ", "ema")).toBeNull();
  saveDraft("from ", null);
  expect(loadDraft("from ", "ema")).toBeNull();
});

it("passes over what is no draft", () => {
  for (const broken of ["{", "[]", '{"preset":null}', "null"]) {
    sessionStorage.setItem("unisd:new-run:x", broken);
    expect(loadDraft("x", null)).toBeNull();
  }
});
