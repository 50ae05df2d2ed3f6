import { describe, expect, it } from "vitest";
import { smooth } from "./smoothing";

describe("smooth", () => {
  it("leaves values as they are without weight", () => {
    expect(smooth([3, null, 1], 0)).toEqual([3, null, 1]);
  });

  it("has no pull towards zero: a constant stays itself from the first value on", () => {
    for (const value of smooth([5, 5, 5, 5], 0.99)) expect(value).toBeCloseTo(5, 10);
  });

  it("is the weighted mean of all values so far", () => {
    const w = 0.6;
    const x = [1, 4, 2];
    const weights = [w * w, w, 1];
    const mean =
      x.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0) /
      weights.reduce((sum, weight) => sum + weight, 0);
    expect(smooth(x, w)[2]).toBeCloseTo(mean, 12);
  });

  it("keeps gaps as gaps, and they do not touch the average", () => {
    const whole = smooth([1, 2, 3], 0.9);
    const broken = smooth([1, null, 2, Number.NaN, 3], 0.9);
    expect(broken[1]).toBeNull();
    expect(broken[3]).toBeNull();
    expect([broken[0], broken[2], broken[4]]).toEqual(whole);
  });
});
