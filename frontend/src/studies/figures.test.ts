import { expect, it } from "vitest";
import type { Interval } from "./api";
import { estimate, general, place, scaleOf, tickText, withInterval } from "./figures";

const interval = (estimated: number | null, half: number | null, n = 3): Interval => ({
  estimate: estimated,
  low: estimated === null || half === null ? null : estimated - half,
  high: estimated === null || half === null ? null : estimated + half,
  n,
  level: 0.95,
  note: "",
});

// As Python's `format(value, ".4g")` prints them.
it.each([
  [0.415, "0.415"],
  [0.12345678, "0.1235"],
  [100, "100"],
  [12345.6, "1.235e+04"],
  [9999.6, "1e+04"],
  [0.00012345, "0.0001234"],
  [0.000012345, "1.234e-05"],
  [-2.5, "-2.5"],
  [0, "0"],
  [1, "1"],
])("writes %d as the command line does: %s", (value, text) => {
  expect(general(value, 4)).toBe(text);
});

it("shows an estimate with its interval, and what is not known as such", () => {
  expect(withInterval(interval(0.52341, 0.03111))).toBe("0.5234 ±\u202f0.031 (n=3)");
  expect(withInterval(interval(0.5, null, 1), true)).toBe("+0.5 (n=1)");
  expect(estimate(interval(-0.25, 0.1), true)).toBe("\u22120.25");
  expect(withInterval(interval(null, null, 0))).toBe("–");
});

it("finds round limits around intervals and what must be seen", () => {
  const scale = scaleOf([interval(0.31, 0.04), interval(null, null), interval(0.52, null)], [0]);
  expect(scale).toEqual({ low: 0, high: 0.6, ticks: [0, 0.2, 0.4, 0.6], decimals: 1 });
  expect(place(0.3, scale as NonNullable<typeof scale>)).toBeCloseTo(0.5);
  const small = scaleOf([interval(-2e-5, 1e-5), interval(3e-5, 1e-5)]);
  expect(small?.ticks.map((tick) => tickText(tick, small))).toEqual([
    "\u22120.00004",
    "\u22120.00002",
    "0.00000",
    "0.00002",
    "0.00004",
  ]);
});

it("draws equal values in the middle, and nothing where there is nothing", () => {
  const scale = scaleOf([interval(0.5, 0)]);
  expect(scale && scale.low < 0.5 && scale.high > 0.5).toBe(true);
  expect(scaleOf([interval(0, 0)])?.ticks.length).toBeGreaterThan(1);
  expect(scaleOf([interval(null, null)])).toBeNull();
});
