import { expect, it } from "vitest";
import type { Alarm } from "../api/types";
import { ringing, when } from "./ringing";

const alarm = (
  code: string,
  step: number,
  attempt = 1,
  severity: Alarm["severity"] = "warning",
): Alarm => ({
  cursor: step,
  attempt,
  time: step,
  code,
  severity,
  step,
  message: `at ${step}`,
  remedy: "",
});

it("tells an alarm that rang several times once, as it rang last", () => {
  const rang = ringing([alarm("length", 40), alarm("clipped", 12), alarm("length", 7)]);
  expect(rang.map((item) => item.alarm.message)).toEqual(["at 40", "at 12"]);
  expect(rang.map(when)).toEqual(["steps 7–40, 2 times", "step 12"]);
});

it("keeps the attempts apart", () => {
  expect(ringing([alarm("length", 3, 2), alarm("length", 9, 1)])).toHaveLength(2);
});

it("puts errors before warnings, latest first", () => {
  const rang = ringing([alarm("a", 9), alarm("b", 5, 1, "error"), alarm("c", 2, 1, "error")]);
  expect(rang.map((item) => item.alarm.code)).toEqual(["b", "c", "a"]);
});
