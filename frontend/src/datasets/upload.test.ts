import { expect, test } from "vitest";
import { nameOf } from "./upload";

test.each([
  ["train.jsonl", "train"],
  ["my data (1).csv", "my-data-1-"],
  ["train.jsonl.gz", "train"],
  ["größe.parquet", "gr-e"],
  ["../.x", "dataset"],
  ["…", "dataset"],
])("the file %s suggests the name %s", (file, name) => {
  expect(nameOf(file)).toBe(name);
});
