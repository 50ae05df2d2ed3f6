import { expect, test } from "vitest";
import { RUN_COLOURS, runColour, runSlot, runStyles } from "./runColour";

test("a run has the same colour alone and among others", () => {
  const ids = Array.from({ length: 30 }, (_, i) => `run-${i}`);
  const styles = runStyles(ids);
  for (const id of ids) expect(styles[id]?.colour).toBe(runColour(id));
});

test("all colours are used, and runs of one colour differ in their dashes", () => {
  const ids = Array.from({ length: 400 }, (_, i) => `run-${i}`);
  expect(new Set(ids.map(runSlot)).size).toBe(RUN_COLOURS);
  const [first, ...others] = ids;
  const twin = others.find((id) => runSlot(id) === runSlot(first as string)) as string;
  const styles = runStyles([first as string, twin]);
  expect(styles[first as string]?.dash).not.toBe(styles[twin]?.dash);
});
