import { describe, expect, it } from "vitest";
import type { ComparedColumn, ComparedCurve } from "../api/types";
import { runColour } from "../lib/runColour";
import { comparedSeries, lacking, legendLabels, metricLook } from "./curveSeries";
import { csv, ends, points, pValue, signed, verdict } from "./figures";
import { roundStep, scaleOf } from "./scale";
import { chosen, firstMetrics, idsOf, metricsOf, without } from "./selection";

const column = (key: string, label: string, seeds: number[] = [1]): ComparedColumn => ({
  key,
  label,
  baseline: false,
  runs: seeds.map((seed) => ({
    id: `${key}${seed}`,
    project_id: "p",
    name: label,
    kind: "training",
    status: "succeeded",
    model: "m",
    seed,
    step: 1,
    total_steps: 1,
    attempt: 1,
    created_at: "2026-01-01T00:00:00Z",
  })),
});

const curve = (key: string, change: Partial<ComparedCurve> = {}): ComparedCurve => ({
  key,
  x: [1, 2],
  steps: [1, 2],
  values: [3, null],
  low: null,
  high: null,
  counts: [1, 1],
  runs: null,
  non_finite: [],
  points: 2,
  ...change,
});

describe("a link's selection", () => {
  it("keeps identifiers, each once and in order", () => {
    expect(idsOf("b,a,b,,Not one,a2")).toEqual(["b", "a", "a2"]);
    expect(idsOf(undefined)).toEqual([]);
  });

  it("forgets a baseline that goes", () => {
    const search = { runs: "a,b,c", baseline: "b" };
    expect(without(search, ["a"])).toEqual({ runs: "b,c", baseline: "b" });
    expect(without(search, ["b"])).toEqual({ runs: "a,c", baseline: undefined });
    expect(chosen(search, [])).toEqual({ runs: undefined, baseline: undefined });
  });

  it("shows first what matters most, of what there is", () => {
    const names = ["memory/gpu", "train/grad_norm", "eval/x/accuracy", "train/loss"];
    expect(firstMetrics(names)).toEqual(["train/loss", "eval/x/accuracy", "train/grad_norm"]);
    expect(firstMetrics(["only/this"])).toEqual(["only/this"]);
    expect(metricsOf({ charts: "a,b,a" }, names)).toEqual(["a", "b"]);
    expect(metricsOf({ charts: "" }, names)).toEqual([]);
  });
});

describe("figures", () => {
  it("show differences with their sign and what is unknown as a dash", () => {
    expect([signed(0.5), signed(-0.5), signed(0), signed(null)]).toEqual([
      "+0.500",
      "\u22120.500",
      "0",
      "–",
    ]);
    expect([points(0.042), points(-0.1)]).toEqual(["+4.2", "\u221210.0"]);
    expect([pValue(0.00001), pValue(0.04), pValue(undefined)]).toEqual(["< 0.001", "0.040", "–"]);
    expect([ends(1, 2), ends(1, 1), ends(null, 2)]).toEqual(["1.00 to 2.00", null, null]);
  });

  it("judge only where the interval leaves zero out", () => {
    expect(verdict(0.1, 0.2, "higher")).toBe("better");
    expect(verdict(0.1, 0.2, "lower")).toBe("worse");
    expect(verdict(-0.2, -0.1, "lower")).toBe("better");
    expect(verdict(0.1, 0.2, null)).toBe("differs");
    expect(verdict(-0.1, 0.2, "higher")).toBe("unclear");
    expect(verdict(null, null, "higher")).toBe("unclear");
  });

  it("become a spreadsheet's text", () => {
    expect(csv([["a,b", 'say "x"', null, 0.5]])).toBe('"a,b","say ""x""",,0.5\r\n');
  });

  it("have round ticks that reach beyond all values", () => {
    expect([0.3, 0.013, 7].map(roundStep)).toEqual([0.5, 0.02, 10]);
    const scale = scaleOf([0.12, 0.48], 100, 0);
    expect(scale.ticks.map((tick) => tick.value)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5]);
    expect([scale.at(0.1), scale.at(0.5)]).toEqual([100, 0]);
    expect(scaleOf([0, 0], 0, 10).ticks.length).toBeGreaterThan(1);
  });
});

describe("compared curves", () => {
  const columns = [column("a", "method=x,task=t", [1, 2]), column("b", "method=y,task=t")];

  it("have the colours of their runs, bands and crosses", () => {
    const crossed = curve("b", { non_finite: [{ x: 2, value: "NaN" }] });
    const banded = curve("a", { low: [1, null], high: [4, null] });
    const [first, second] = comparedSeries(columns, [crossed, banded], undefined);
    expect(first).toMatchObject({ id: "a", colour: runColour("a"), low: [1, null] });
    expect(second).toMatchObject({ id: "b", nonFinite: [{ x: 2, name: "NaN" }] });
    expect(second?.low).toBeUndefined();
  });

  it("are called by what tells them apart", () => {
    expect(legendLabels(columns)).toEqual({ a: "method=x (2 seeds)", b: "method=y" });
    expect(legendLabels([column("a", "x")])).toEqual({ a: "x" });
    expect(legendLabels([column("a", "x"), column("b", "x")])).toEqual({ a: "x", b: "x" });
  });

  it("name the runs that have none", () => {
    expect(lacking(columns, [curve("b")])).toEqual(["method=x,task=t"]);
  });

  it("are titled as in the charts of a run", () => {
    expect(metricLook("train/loss").title).toBe("Loss");
    expect(metricLook("train/entropy/teacher").title).toBe("Entropy: teacher");
    expect(metricLook("my/own").title).toBe("my/own");
  });
});
