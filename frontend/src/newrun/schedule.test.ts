import { expect, it } from "vitest";
import { scheduleOf, scheduleValues } from "./schedule";

it("sends what is typed in the API's units", () => {
  const values = {
    ...scheduleValues(null),
    "schedule.labels": "a100, site=berlin",
    "schedule.gpu_memory_bytes": "24",
    "schedule.time_limit_seconds": "1.5",
  };
  expect(scheduleOf(values)).toEqual({
    priority: 0,
    labels: ["a100", "site=berlin"],
    gpu_memory_bytes: 24 * 2 ** 30,
    max_attempts: null,
    time_limit_seconds: 5400,
  });
});

it("leaves what cannot be read to the server", () => {
  const values = { ...scheduleValues(null), "schedule.gpu_memory_bytes": "much" };
  expect(scheduleOf(values).gpu_memory_bytes).toBe("much");
});

it("asks for a clone what its source asked for", () => {
  const source = {
    priority: 7,
    labels: ["a100"],
    gpu_memory_bytes: 2 ** 34,
    time_limit_seconds: 5400,
  };
  expect(scheduleOf(scheduleValues(source))).toMatchObject(source);
});
