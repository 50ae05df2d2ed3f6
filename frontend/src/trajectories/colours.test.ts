import { describe, expect, it } from "vitest";
import type { TokenValues, TrajectoryDetail } from "../api/types";
import { paint, scaleOf } from "./colours";
import { present, recordOf } from "./whatifSettings";

function contrast(a: string, b: string): number {
  const lum = (css: string) => {
    const [r, g, bl] = css.startsWith("#")
      ? [1, 3, 5].map((i) => Number.parseInt(css.slice(i, i + 2), 16))
      : (css.match(/\d+/g) ?? []).map(Number);
    const lin = (c = 0) =>
      c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4;
    return 0.2126 * lin(r) + 0.7152 * lin(g) + 0.0722 * lin(bl);
  };
  const [x, y] = [lum(a), lum(b)].sort((p, q) => q - p) as [number, number];
  return (x + 0.05) / (y + 0.05);
}

describe("token colours", () => {
  it("scale from zero for magnitudes and evenly around zero for signed values", () => {
    expect(scaleOf([0.1, 0.5, null], { signed: false })).toEqual({
      low: 0,
      high: 0.5,
      signed: false,
    });
    expect(scaleOf([-2, 1], { signed: true })).toEqual({ low: -2, high: 2, signed: true });
    expect(scaleOf([], { signed: false }).high).toBe(1);
  });

  it("take the end of a scale that is known beforehand", () => {
    expect(scaleOf([0.1, 0.2], { signed: false, top: 1 }).high).toBe(1);
  });

  it("are strongest for the least weight", () => {
    const scale = scaleOf([0.1, 1], { signed: false, top: 1, least: true });
    expect(paint(1, scale, "light")?.background).toBe("rgb(255,255,255)");
    expect(paint(0, scale, "light")?.background).toBe("rgb(0,34,78)");
  });

  it("are offered for what some token has", () => {
    const bare = {
      student_logprob: -1,
      student_entropy: 1,
      teacher_logprob: null,
      teacher_entropy: null,
      divergence: null,
      divergence_clipped: null,
      weight: null,
      disagreement: null,
      contrastive: null,
      feature_distance: null,
      contribution: null,
    } as TokenValues;
    const presentIn = (token_values: TokenValues[]) => {
      const item = { token_values } as TrajectoryDetail;
      return present(item, recordOf(item), null);
    };
    expect(presentIn([bare])).toEqual(["student_entropy"]);
    const taught = { ...bare, teacher_logprob: -2, divergence: 0, weight: 0.5 };
    expect(presentIn([bare, taught])).toEqual(["divergence", "weight", "gap", "student_entropy"]);
  });

  it("are not bleached by one extreme", () => {
    const values = [...Array.from({ length: 99 }, () => 1), 1000];
    expect(scaleOf(values, { signed: false }).high).toBe(1);
  });

  it.each(["light", "dark"] as const)(
    "keep the text readable everywhere on the %s scales",
    (theme) => {
      for (const signed of [false, true]) {
        const scale = { low: signed ? -1 : 0, high: 1, signed };
        for (let i = 0; i <= 50; i += 1) {
          const look = paint(scale.low + (i / 50) * (1 - scale.low), scale, theme);
          expect(contrast(look?.background ?? "", look?.color ?? "")).toBeGreaterThan(4.5);
        }
      }
    },
  );

  it("leave tokens without a value bare", () => {
    expect(paint(null, scaleOf([1], { signed: false }), "light")).toBeNull();
  });
});
