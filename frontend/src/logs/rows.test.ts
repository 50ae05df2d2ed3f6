import { expect, it } from "vitest";
import type { LogLine } from "../api/types";
import { plainRow, rowsOf } from "./rows";

const line = (message: string, more: Partial<LogLine> = {}): LogLine => ({
  cursor: 7,
  attempt: 1,
  time: 0,
  source: "output",
  level: "info",
  message,
  ...more,
});

it("splits what was printed into rows with keys of their own", () => {
  const rows = rowsOf([line("one\ntwo\n"), line("three", { cursor: 8, source: "log" })]);
  expect(rows.map((row) => row.text)).toEqual(["one", "two", "three"]);
  expect(rows.map((row) => row.continued)).toEqual([false, true, false]);
  expect(new Set(rows.map((row) => row.key)).size).toBe(3);
  expect(rows.map((row) => plainRow(row).split(" ")[1])).toEqual(["OUTPUT", "OUTPUT", "INFO"]);
});

it("shows what a terminal would: the last of a progress bar, no colours", () => {
  const rows = rowsOf([line("  1 %\r 50 %\r100 %\n\u001b[31mred\u001b[0m\r\n\nend")]);
  expect(rows.map((row) => row.text)).toEqual(["100 %", "red", "", "end"]);
});
