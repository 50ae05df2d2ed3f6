import { describe, expect, it } from "vitest";
import type { MetricSeries, RunEvent } from "../api/types";
import { MOST_POINTS } from "./curves";
import { EMPTY, load, mergeLogs, receive } from "./reducer";

const metrics = (
  cursor: number,
  step: number,
  value: number | string | null,
  attempt = 1,
): RunEvent => ({
  cursor,
  attempt,
  kind: "metrics",
  step,
  time: 1000 + step,
  payload: { step, total_steps: 10, epoch: 0, values: { "train/loss": value } },
});

const series = (cursor: number, steps: number[], attempt = 1): MetricSeries => ({
  attempt,
  cursor,
  items: [
    {
      name: "train/loss",
      steps,
      values: steps.map((step) => step / 10),
      times: steps.map((step) => 1000 + step),
      points: steps.length,
      non_finite: [],
    },
  ],
});

const loss = (state: typeof EMPTY) => state.curves["train/loss"];

describe("a run's series", () => {
  it("start with what the API has and grow by the stream", () => {
    const state = receive(load(EMPTY, series(7, [1, 2])), metrics(8, 3, 0.5));
    expect(loss(state)?.steps).toEqual([1, 2, 3]);
    expect(loss(state)?.values).toEqual([0.1, 0.2, 0.5]);
    expect(state).toMatchObject({ step: 3, totalSteps: 10, cursor: 8 });
  });

  it("count no event twice, whichever way it comes again", () => {
    const once = receive(load(EMPTY, series(7, [1, 2])), metrics(8, 3, 0.5));
    expect(receive(once, metrics(8, 3, 0.9))).toBe(once);
    expect(receive(once, metrics(6, 2, 0.9))).toBe(once);
  });

  it("keep their steps in order and replace a step that is measured again", () => {
    let state = load(EMPTY, series(7, [1, 2, 5]));
    state = receive(state, metrics(8, 3, 0.7));
    state = receive(state, metrics(9, 5, 0.8));
    expect(loss(state)?.steps).toEqual([1, 2, 3, 5]);
    expect(loss(state)?.values).toEqual([0.1, 0.2, 0.7, 0.8]);
    expect(loss(state)?.points).toBe(4);
  });

  it("show values that are not finite as gaps, and know what they were", () => {
    let state = receive(load(EMPTY, series(7, [1])), metrics(8, 2, "-Infinity"));
    state = receive(state, metrics(9, 3, null));
    expect(loss(state)?.values).toEqual([0.1, null, null]);
    expect(loss(state)?.nonFinite).toEqual({ 2: "-Infinity", 3: "NaN" });
    state = receive(state, metrics(10, 2, 0.4));
    expect(loss(state)?.nonFinite).toEqual({ 3: "NaN" });
  });

  it("name the gaps that the API knows", () => {
    const given = series(7, [1, 2]);
    const items = given.items.map((item) => ({
      ...item,
      values: [0.1, null],
      non_finite: [{ step: 2, value: "Infinity" as const }],
    }));
    expect(loss(load(EMPTY, { ...given, items }))?.nonFinite).toEqual({ 2: "Infinity" });
  });

  it("start over with a new attempt, and ignore what an older one still says", () => {
    let state = receive(load(EMPTY, series(7, [1, 2])), metrics(8, 1, 0.3, 2));
    expect(state.attempt).toBe(2);
    expect(loss(state)?.steps).toEqual([1]);
    state = receive(state, metrics(9, 9, 0.1, 1));
    expect(loss(state)?.steps).toEqual([1]);
  });

  it("lose nothing when they are asked for again while the stream goes on", () => {
    const before = receive(load(EMPTY, series(7, [1, 2])), metrics(8, 3, 0.5));
    const meanwhile = [metrics(9, 4, 0.6), metrics(11, 5, 0.7)];
    const ahead = meanwhile.reduce(receive, before);
    // The answer reaches to cursor 9: the event at 11 came by the stream alone.
    const reloaded = load(ahead, series(9, [1, 2, 3, 4]), meanwhile);
    expect(loss(reloaded)?.steps).toEqual([1, 2, 3, 4, 5]);
    expect(loss(receive(reloaded, metrics(12, 6, 0.8)))?.steps).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("let log lines through that the stream brings after a reload that was ahead of it", () => {
    const reloaded = load(load(EMPTY, series(7, [1])), series(20, [1, 2]));
    const line = receive(reloaded, {
      cursor: 8,
      attempt: 1,
      kind: "log",
      step: null,
      time: 1,
      payload: { level: "warning", message: "late" },
    });
    expect(line.logs.map((item) => item.message)).toEqual(["late"]);
    expect(loss(receive(line, metrics(19, 2, 9)))?.values).toEqual([0.1, 0.2]);
  });
});

describe("log lines", () => {
  const line = (cursor: number) =>
    ({
      cursor,
      attempt: 1,
      time: cursor,
      source: "log",
      level: "info",
      message: String(cursor),
    }) as const;

  it("come once and in order from pages and stream", () => {
    const merged = mergeLogs([line(3), line(4)], [line(1), line(2)], [line(4), line(5)]);
    expect(merged.map((item) => item.cursor)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a page that is left open", () => {
  const LONG = 3 * MOST_POINTS;
  const stream = (value: (step: number) => number | string) => {
    let state = EMPTY;
    for (let step = 1; step <= LONG; step += 1) {
      state = receive(state, metrics(step, step, value(step)));
    }
    return state;
  };

  it("keeps no more points than a chart can show, and yet every extreme", () => {
    const curve = loss(stream((step) => (step === 4321 ? 99 : 1)));
    expect(curve?.steps.length).toBeLessThanOrEqual(MOST_POINTS);
    expect(Math.max(...(curve?.high ?? []).map(Number))).toBe(99);
    expect(curve?.counts?.reduce((sum, count) => sum + count)).toBe(LONG);
    expect(curve?.steps.at(-1)).toBe(LONG);
  });

  it("keeps the places of some values that are no numbers, not of all", () => {
    const curve = loss(stream(() => "NaN"));
    expect(Object.keys(curve?.nonFinite ?? {}).length).toBeLessThanOrEqual(500);
  });

  it("keeps the latest lines of the log", () => {
    let state = EMPTY;
    for (let cursor = 1; cursor <= 9000; cursor += 1) {
      state = receive(state, { ...metrics(cursor, 1, 1), kind: "log", payload: { message: "m" } });
    }
    expect(state.logs.length).toBeLessThanOrEqual(2000);
    expect(state.logs.at(-1)?.cursor).toBe(9000);
  });
});
