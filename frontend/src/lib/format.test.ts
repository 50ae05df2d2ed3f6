import { describe, expect, it } from "vitest";
import {
  bytes,
  countdown,
  duration,
  eta,
  integer,
  number,
  percent,
  relativeTime,
  roughly,
  setting,
  unitOf,
} from "./format";

describe("what is not known", () => {
  it.each([null, undefined, Number.NaN, Number.POSITIVE_INFINITY])(
    "%s shows as a dash, never as 0",
    (value) => {
      for (const format of [integer, number, percent, duration, eta, bytes]) {
        expect(format(value)).toBe("–");
      }
    },
  );

  it("is told from zero", () => {
    expect(number(0)).toBe("0");
    expect(integer(0)).toBe("0");
    expect(percent(0)).toBe("0 %");
    expect(bytes(0)).toBe("0 B");
  });
});

describe("numbers", () => {
  it.each([
    [0.123456, "0.1235"],
    [-1.5, "−1.500"],
    [12345.6, "12,346"],
    [2e-5, "2.00e−5"],
    [3.2e9, "3.20e9"],
  ])("%d is %s", (value, text) => {
    expect(number(value)).toBe(text);
  });

  it.each([
    [0.004, "0.4 %"],
    [0.0994, "9.9 %"],
    [0.0996, "10 %"],
    [0.25, "25 %"],
    [0.997, "99.7 %"],
    [1, "100 %"],
  ])("a share of %d is %s", (share, text) => {
    expect(percent(share)).toBe(text);
  });

  it("writes settings as one would type them", () => {
    expect(setting(2e-5)).toBe("2e-5");
    expect(setting(0.05)).toBe("0.05");
    expect(setting(0)).toBe("0");
  });
});

describe("time", () => {
  it.each([
    [0.83, "0.8 s"],
    [59.6, "1 m 00 s"],
    [200, "3 m 20 s"],
    [7500, "2 h 05 m"],
    [90_000, "1 d 01 h"],
  ])("%d seconds last %s", (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it.each([
    [3, "a few seconds"],
    [44, "~40 s"],
    [500, "~8 min"],
    [7200, "~2.0 h"],
  ])("%d seconds left are %s", (seconds, text) => {
    expect(eta(seconds)).toBe(text);
  });

  it("is told relative to now", () => {
    const now = Date.parse("2026-01-01T12:00:00Z");
    expect(relativeTime("2026-01-01T11:59:40Z", now)).toBe("just now");
    expect(relativeTime("2026-01-01T11:30:00Z", now)).toBe("30 min ago");
    expect(relativeTime("2025-12-30T12:00:00Z", now)).toBe("2 d ago");
    expect(relativeTime(null, now)).toBe("–");
  });
});

it("counts down in whole seconds and never below zero", () => {
  expect([65.2, 5, 0, -3, 3725].map(countdown)).toEqual([
    "1:06",
    "0:05",
    "0:00",
    "0:00",
    "1:02:05",
  ]);
});

it("says spans roughly", () => {
  expect([0.4, 59, 61, 5400, 200_000].map(roughly)).toEqual(["0 s", "59 s", "1 min", "2 h", "2 d"]);
});

it("writes a unit as it stands behind a number", () => {
  expect(unitOf(1, "epochs")).toBe("epoch");
  expect(unitOf(1, "passes")).toBe("pass");
  expect(unitOf(1, "sequences")).toBe("sequence");
  expect(unitOf(1, "loss")).toBe("loss");
  expect(unitOf(2, "epochs")).toBe("epochs");
});
