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

  it("draw metrics that nobody named, too", () => {
    expect(chartGroups(["train/agreement"])).toMatchObject([
      { title: "Other", charts: [{ id: "train/agreement" }] },
    ]);
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
