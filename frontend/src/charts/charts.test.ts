import { describe, expect, it } from "vitest";
import { interpolated } from "./axes";
import { type CurveSeries, PLAIN_VIEW, type Range } from "./curve";
import { csvOf, fileName } from "./exports";
import { type ChartModel, frameOf } from "./frame";
import { panned, zoomed } from "./gestures";
import { domain, extent, layers, leading, reading, visible } from "./layers";
import { arranged, hiddenToggled, moved, PLAIN_LAYOUT, readLayout } from "./layout";
import { band, line, type Slice, SvgPath } from "./paths";
import { chartGroups } from "./specs";
import { svgOf } from "./svg";
import { adapted } from "./sync";
import { logTicks, plainTick, spanTick, xTicks, yTicks } from "./ticks";
import { isCoarse } from "./useDetail";

const series = (more: Partial<CurveSeries> = {}): CurveSeries => ({
  id: "loss",
  label: "Loss",
  colour: "var(--series-1)",
  x: [1, 2, 3, 4],
  y: [4, 3, 2, 1],
  ...more,
});
const model = (drawn: readonly CurveSeries[], more: Partial<ChartModel> = {}): ChartModel => ({
  layers: layers(drawn, 0),
  view: PLAIN_VIEW,
  pins: [],
  xLabel: "Step",
  yLabel: "nats",
  fromZero: false,
  bytes: false,
  ...more,
});
const whole: Slice = {
  x: [0, 0.1, 0.2, 0.3, 5],
  first: 0,
  end: 5,
  toX: (value) => value,
  toY: (value) => value,
  grain: 1,
};
const drawn = (y: readonly (number | null)[], slice = whole) => {
  const sink = new SvgPath();
  line(sink, y, slice);
  return `${sink}`;
};

describe("a line", () => {
  it("keeps the spike of many points that share a column of pixels", () => {
    expect(drawn([1, 900, 2, 3, 4])).toBe("M0.0 1.0L0.0 1.0L0.0 900.0L0.0 3.0L5.0 4.0");
  });

  it("is broken at a gap, and a point alone is seen", () => {
    const apart = { ...whole, x: [0, 1, 2, 3, 4] };
    expect(drawn([1, null, 2, null, 3], apart)).toBe(
      "M0.0 1.0L1.0 1.0M2.0 2.0L3.0 2.0M4.0 3.0L5.0 3.0",
    );
  });

  it("has as many corners as there are columns, however many points", () => {
    const x = Array.from({ length: 100_000 }, (_, i) => i / 200);
    const path = drawn(
      x.map((_, i) => i % 7),
      { ...whole, x, end: x.length },
    );
    expect(path.split("L").length).toBeLessThan(4 * 502);
  });
});

it("a band is one area between gaps, as wide as its extremes", () => {
  const sink = new SvgPath();
  const upwards = { ...whole, toY: (value: number) => 10 - value };
  band(sink, [1, 0, 1, 1, 1], [2, 9, 2, 2, null], upwards);
  expect(`${sink}`).toBe("M0.0 1.0L0.0 1.0L0.0 10.0Z");
});

describe("what is shown", () => {
  it("is all of the axis, or the points of a range with a neighbour on either side", () => {
    expect(domain([series(), series({ x: [0, 9], y: [1, 1] })], false)).toEqual([0, 9]);
    expect(visible([1, 2, 3, 4, 5], [2.5, 3.5])).toEqual([1, 4]);
  });

  it("has room for the spike of a bucket, unless outliers are left out", () => {
    const x = Array.from({ length: 200 }, (_, i) => i);
    const y = x.map(() => 1);
    const high = x.map((i) => (i === 99 ? 500 : 1));
    const spiked = layers([series({ x, y, low: y, high })], 0);
    const options = { log: false, clip: false, fromZero: false };
    expect(extent(spiked, [0, 199], options)[1]).toBeGreaterThan(500);
    expect(extent(spiked, [0, 199], { ...options, clip: true })[1]).toBeLessThan(2);
    expect(extent(spiked, [0, 50], options)[1]).toBeLessThan(2);
  });

  it("is stacked, with the sum on top, and read by its own value", () => {
    const [, upper] = layers([series({ stacked: true }), series({ stacked: true })], 0);
    expect(upper?.y).toEqual([8, 6, 4, 2]);
    expect(upper && reading(upper, 2).value).toBe(3);
  });

  it("has a crosshair that goes along a curve in sight, the attempt that is shown before others", () => {
    const early = series({ id: "early", faint: true, x: [1, 2], y: [1, 1] });
    const both = layers([early, series({ x: [1, 2, 3, 4] })], 0);
    expect(leading(both, [1, 4])?.series.id).toBe("loss");
    const late = layers([early, series({ x: [7, 8, 9, 9.5] })], 0);
    expect(leading(late, [0, 3])?.series.id).toBe("early");
    expect(leading(late, [3, 5])?.series.id).toBe("early");
  });

  it("is smoothed where it is measured, with the raw curve behind", () => {
    const [measured, set] = layers([series(), series({ exact: true })], 0.9);
    expect(measured?.raw).toEqual([4, 3, 2, 1]);
    expect(measured?.y[3]).toBeGreaterThan(2);
    expect(set?.raw).toBeNull();
  });
});

describe("zoom and pan", () => {
  const all: Range = [0, 100];
  it("zoom around a place, out to everything", () => {
    expect(zoomed(all, all, 0.5, 50)).toEqual([25, 75]);
    expect(zoomed([0, 60], all, 2, 30)).toBeNull();
    expect(zoomed([0, 50], all, 0.5, 0)).toEqual([0, 25]);
  });
  it("pan up to the ends", () => {
    expect(panned([20, 40], all, 10)).toEqual([30, 50]);
    expect(panned([20, 40], all, -50)).toEqual([0, 20]);
    expect(panned([20, 40], all, 500)).toEqual([80, 100]);
  });
  it("ask for detail only where buckets are in sight", () => {
    const curve = { steps: [10, 20, 21], counts: [10, 10, 1], values: [], times: [], points: 21 };
    expect(isCoarse(curve, [12, 15])).toBe(true);
    expect(isCoarse(curve, [20.5, 30])).toBe(false);
  });
});

describe("ticks", () => {
  it("have no more digits than tell them apart, and no step between two steps", () => {
    const options = { log: false, most: 5, bytes: false, text: undefined };
    expect(yTicks([0, 0.5], options).map((tick) => tick.text)).toEqual([
      "0",
      "0.1",
      "0.2",
      "0.3",
      "0.4",
      "0.5",
    ]);
    expect(xTicks([1, 4], "step", { log: false, most: 8 }).map((t) => t.value)).toEqual([
      1, 2, 3, 4,
    ]);
    expect(plainTick(12_345_678, 1000)).toBe("12.346 M");
    expect(spanTick(90_061)).toBe("1 d 1 h");
  });
  it("of a logarithmic axis are decades", () => {
    expect(logTicks([1, 1000], 4)).toEqual([1, 10, 100, 1000]);
  });
  it("interpolate counters between reports", () => {
    expect(interpolated([0, 5, 10, 15], [10], [100])).toEqual([0, 50, 100, 100]);
  });
});

describe("a chart to take away", () => {
  it("is a table with whole numbers, gaps empty, names of what is no number", () => {
    const nan = series({ y: [0.1 + 0.2, null, 2, 1], nonFinite: [{ x: 2, name: "NaN" }] });
    const other = series({ label: 'a "b", c', x: [3, 5], y: [7, 8] });
    expect(csvOf("Step", [nan, other])).toBe(
      'Step,Loss,"a ""b"", c"\r\n1,0.30000000000000004,\r\n2,NaN,\r\n3,2,7\r\n4,1,\r\n5,,8\r\n',
    );
  });
  it("says least and greatest where points are buckets", () => {
    const rows = csvOf("Step", [series({ low: [1, 1, 1, 1], high: [9, 9, 9, 9] })]).split("\r\n");
    expect(rows.slice(0, 2)).toEqual(['Step,Loss,"Loss, least","Loss, greatest"', "1,4,1,9"]);
  });
  it("has what is in sight, without extremes where every point is a measurement", () => {
    const fine = series({ low: [0, 3, 2, 0], high: [9, 3, 2, 9] });
    expect(csvOf("Step", [fine], [1.5, 3])).toBe("Step,Loss\r\n2,3\r\n3,2\r\n");
  });
  it("is a picture with labels of both axes and a legend, its texts escaped", () => {
    const two = model([series({ label: "a<b" }), series({ id: "b", label: "b" })]);
    const svg = svgOf({ title: "Loss", model: two, width: 600, height: 300, colour: () => "#123" });
    for (const text of [">Step<", ">nats<", ">a&lt;b<", ">b<"]) expect(svg).toContain(text);
    expect(svg).not.toContain("var(");
  });
  it("has a name that every system takes", () => {
    expect(fileName("Time / step: α", "csv")).toBe("Time-step-α.csv");
  });
});

describe("the layout", () => {
  const [group] = chartGroups(["train/loss", "eval/reference/nll", "eval/reference/perplexity"]);
  if (!group) throw new Error("no charts");
  const ids = (layout = PLAIN_LAYOUT) => arranged(group, layout).map((one) => one.id);
  it("moves and hides charts, and survives what was stored long ago", () => {
    const after = moved(PLAIN_LAYOUT, group, "train/loss", 1);
    expect(ids(after)).toEqual(["eval/reference/nll", "train/loss", "eval/reference/perplexity"]);
    expect(ids(hiddenToggled(after, "train/loss"))).not.toContain("train/loss");
    expect(readLayout("{")).toEqual(PLAIN_LAYOUT);
    expect(readLayout('{"order":[1,"a"],"size":"huge"}')).toEqual({
      ...PLAIN_LAYOUT,
      order: ["a"],
    });
  });
});

it("a logarithmic axis has no place for what is not positive", () => {
  const frame = frameOf(
    model([series()], { view: { ...PLAIN_VIEW, log: true } }),
    { width: 400, height: 200 },
    [1, 4],
    (text) => text.length * 6,
  );
  expect(frame.toY(0)).toBeNaN();
  expect(frame.toY(4)).toBeLessThan(frame.toY(1));
});

describe("charts of a run", () => {
  it("show every metric once, parts of the loss stacked, unknown ones under Other", () => {
    const names = [
      "train/loss",
      "train/loss/divergence",
      "train/loss/contrastive",
      "train/repeated_share",
      "mine/own",
    ];
    const groups = chartGroups(names);
    const lines = groups.flatMap((one) => one.charts).flatMap((one) => one.lines);
    expect(lines.map((one) => one.metric).sort()).toEqual([...names].sort());
    expect(groups[0]?.charts[1]).toMatchObject({ title: "Parts of the loss", stacked: true });
    expect(groups.at(-1)).toMatchObject({ title: "Other", charts: [{ id: "mine/own" }] });
  });
});

it("fewer points are drawn in a frame after a slow one, more after a quick one", () => {
  expect(adapted(40_000, 90)).toBe(20_000);
  expect(adapted(40_000, 16)).toBe(50_000);
  expect(adapted(40_000, 30)).toBe(40_000);
  expect(adapted(5000, 500)).toBe(5000);
});
