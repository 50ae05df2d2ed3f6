import { expect, it } from "vitest";
import type { Sample } from "../api/types";
import { gpuOf, peak, series, used } from "./past";

const sample = (time: number, cpu: number, more: Partial<Sample> = {}): Sample => ({
  time,
  cpu,
  memory_used: 0,
  disk_free: 0,
  gpus: [],
  ...more,
});

it("lays samples on an even grid, keeps peaks, and leaves gaps", () => {
  const end = 36_000;
  const values = series(
    [sample(end - 3599, 0.1), sample(end - 130, 0.2), sample(end - 125, 0.9), sample(end, 0.3)],
    "hour",
    end,
    (one) => one.cpu,
  );
  expect(values).toHaveLength(60);
  expect(values[0]).toBe(0.1);
  expect(values[57]).toBe(0.9);
  expect(values[58]).toBeNull();
  expect(values[59]).toBe(0.3);
  expect(peak(values)).toBe(0.9);
});

it("follows the newest sample where the clocks differ, and drops what is too old", () => {
  const values = series([sample(0, 0.5), sample(90_000, 0.7)], "day", 80_000, (one) => one.cpu);
  expect(values.at(-1)).toBe(0.7);
  expect(peak(values)).toBe(0.7);
  expect(peak([null])).toBeNull();
});

it("finds the same GPU again by its UUID", () => {
  const gpu = {
    index: 0,
    name: "A",
    uuid: "GPU-1",
    mine: true,
    memory_total: 100,
    memory_used: 25,
    utilization: null,
    temperature: null,
    power: null,
    processes: [],
  };
  const moved = sample(0, 0, { gpus: [{ ...gpu, index: 1 }] });
  expect(gpuOf(moved, gpu)?.index).toBe(1);
  expect(used(gpu)).toBe(0.25);
  expect(used({ ...gpu, memory_used: null })).toBeNull();
});
