import { describe, expect, it } from "vitest";
import { EMPTY, type LiveState } from "../live/reducer";
import { nearest } from "./crosshair";
import { chartGroups } from "./specs";
import { type Colours, traces, type View, xValues } from "./traces";

const curve = (steps: number[], values: (number | null)[]) => ({
  steps,
  values,
  times: steps.map((step) => 100 + step * 2),
  points: steps.length,
});

const STATE: LiveState = {
  ...EMPTY,
  curves: {
    "train/loss": curve([1, 2, 3, 4], [4, 3, null, 1]),
    "train/tokens": curve([1, 3, 4], [10, 30, 50]),
  },
};
const EVERY_METRIC = [
  ...["loss", "loss/divergence", "loss/contrastive", "loss/feature_matching", "grad_norm"],
  ...["agreement/weight_mean", "agreement/weight_min", "agreement/weight_max"],
  ...["agreement/disagreement", "clipped_share", "clip_ceiling", "feature_distance"],
  ...["contrastive/violations", "contrastive/without_negative", "ema/distance", "ema/half_life"],
  ...["masked_share", "on_policy_share", "truncated_share", "completion_length", "tokens"],
  ...["entropy/student", "entropy/teacher", "logprob/student", "logprob/teacher"],
  ...["logprob/negative", "logprob/auxiliary", "learning_rate"],
]
  .map((name) => `train/${name}`)
  .concat(
    ["rollout", "teacher", "student", "step"].map((name) => `time/${name}`),
    ["rollout", "teacher", "student"].map((name) => `tokens/${name}`),
    ["memory/process_peak", "memory/gpu_peak", "throughput/tokens_per_second"],
    ["eval/reference/nll", "eval/reference/perplexity"],
  );
const COLOURS: Colours = {
  series: ["#0072b2"],
  text: "#000000",
  faint: "#777777",
  line: "#eeeeee",
  surface: "#ffffff",
};
const VIEW: View = { x: "step", log: false, smoothing: 0, range: null };

const spec = chartGroups(["train/loss"])[0]?.charts[0];
if (!spec) throw new Error("no chart of the loss");
const loss = STATE.curves["train/loss"];
if (!loss) throw new Error("no loss");

describe("charts", () => {
  it("exist only for what the run reports", () => {
    const ids = (names: string[]) =>
      chartGroups(names).flatMap((group) => group.charts.map((chart) => chart.id));
    expect(ids([])).toEqual([]);
    expect(ids(["train/loss", "time/rollout", "time/step"])).toEqual(["train/loss", "time/split"]);
    expect(ids(["memory/gpu_peak"])).toEqual(["memory/gpu_peak"]);
  });

  it("mark what was not finite where the curve has its gap", () => {
    const curves = { "train/loss": { ...loss, nonFinite: { 3: "-Infinity" } } };
    const drawn = traces(spec, { ...STATE, curves }, VIEW, COLOURS);
    expect(drawn).toHaveLength(2);
    expect(drawn[1]).toMatchObject({ mode: "markers", x: [3], y: [3] });
    expect(drawn[1]?.hovertemplate).toContain("-Infinity");
    const elsewhere: View = { ...VIEW, range: [0, 1] };
    expect(traces(spec, { ...STATE, curves }, elsewhere, COLOURS)).toHaveLength(1);
  });

  it("draw metrics that nobody named, too", () => {
    expect(chartGroups(["train/novelty"])).toMatchObject([
      { title: "Other", charts: [{ id: "train/novelty" }] },
    ]);
  });

  it("stack the weighted parts of the loss once there are several", () => {
    const parts = (...names: string[]) =>
      chartGroups(["train/loss", ...names])
        .flatMap((group) => group.charts)
        .find((chart) => chart.id === "train/loss/parts");
    expect(parts("train/loss/divergence")).toBeUndefined();
    expect(chartGroups(["train/loss", "train/loss/divergence"])).toHaveLength(1);
    const chart = parts("train/loss/novelty", "train/loss/contrastive", "train/loss/divergence");
    expect(chart?.stacked).toBe(true);
    expect(chart?.lines.map((line) => line.label)).toEqual([
      "divergence",
      "contrastive",
      "novelty",
    ]);
  });

  it("give a line the same colour whatever else a run reports", () => {
    const negative = (...names: string[]) =>
      chartGroups([...names, "train/logprob/negative"])
        .flatMap((group) => group.charts.flatMap((chart) => chart.lines))
        .find((line) => line.metric === "train/logprob/negative")?.colour;
    expect(negative("train/logprob/student")).toBe(negative("train/logprob/auxiliary"));
  });

  it("have a place for every metric of every mechanism", () => {
    expect(chartGroups(EVERY_METRIC).map((group) => group.title)).not.toContain("Other");
    const drawn = chartGroups(EVERY_METRIC)
      .flatMap((group) => group.charts.flatMap((chart) => chart.lines))
      .map((line) => line.metric);
    expect(drawn).toHaveLength(new Set(drawn).size);
    expect(EVERY_METRIC.filter((name) => !drawn.includes(name))).toEqual(["time/step"]);
  });

  it("begin with the raw series, smoothed or not", () => {
    const [raw] = traces(spec, STATE, VIEW, COLOURS);
    expect(raw).toMatchObject({ x: [1, 2, 3, 4], y: [4, 3, null, 1], connectgaps: false });
    const both = traces(spec, STATE, { ...VIEW, smoothing: 0.9 }, COLOURS);
    expect(both).toHaveLength(2);
    expect(both[0]?.y).toEqual([4, 3, null, 1]);
    expect(both[1]?.y[2]).toBeNull();
  });

  it("show what a zoom shows, and one neighbour on either side", () => {
    const [raw] = traces(spec, STATE, { ...VIEW, range: [2.5, 3.5] }, COLOURS);
    expect(raw?.x).toEqual([2, 3, 4]);
  });
});

describe("horizontal axes", () => {
  it("count time from the attempt's first value", () => {
    expect(xValues(loss, "time", STATE)).toEqual([0, 2, 4, 6]);
  });

  it("interpolate tokens where the series have different steps", () => {
    expect(xValues(loss, "tokens", STATE)).toEqual([10, 20, 30, 50]);
  });

  it("find the nearest point", () => {
    expect([0, 1.4, 1.6, 99].map((x) => nearest([1, 2, 3], x))).toEqual([0, 0, 1, 2]);
  });
});
