import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MetricSeries } from "../api/types";
import { RunStore } from "./store";

class FakeSource {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 1;
  closed = false;
  readonly url: string;
  private readonly handlers = new Map<string, (message: MessageEvent) => void>();

  constructor(url: string) {
    this.url = url;
  }
  addEventListener(kind: string, handler: unknown): void {
    this.handlers.set(kind, handler as (message: MessageEvent) => void);
  }
  close(): void {
    this.closed = true;
  }
  send(kind: string, data: object): void {
    this.handlers.get(kind)?.(new MessageEvent(kind, { data: JSON.stringify(data) }));
  }
}

const answer = (cursor: number, attempt: number, steps: number[]): MetricSeries => ({
  attempt,
  cursor,
  items: [
    {
      name: "train/loss",
      steps,
      values: steps,
      times: steps,
      points: steps.length,
      non_finite: [],
    },
  ],
});

const step = (cursor: number, at: number, attempt: number) => ({
  cursor,
  attempt,
  kind: "metrics",
  step: at,
  time: at,
  payload: { step: at, total_steps: 9, epoch: 0, values: { "train/loss": at } },
});

function follow(metrics: () => Promise<MetricSeries>) {
  const sources: FakeSource[] = [];
  const kinds: string[] = [];
  const store = new RunStore({
    runId: "r 1",
    onEvent: (kind) => kinds.push(kind),
    metrics,
    open: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source as unknown as EventSource;
    },
  });
  const steps = () => store.getSnapshot().curves["train/loss"]?.steps;
  return { store, sources, kinds, steps };
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("following a run", () => {
  it("joins the stream where the series end and appends what comes", async () => {
    const { store, sources, steps, kinds } = follow(async () => answer(5, 1, [1, 2]));
    await store.start();
    expect(sources[0]?.url).toBe("/api/runs/r%201/events?after=5");
    sources[0]?.send("metrics", step(6, 3, 1));
    sources[0]?.send("metrics", step(6, 3, 1));
    vi.runAllTimers();
    expect(steps()).toEqual([1, 2, 3]);
    expect(kinds).toEqual(["metrics"]);
  });

  it("tells of an alarm", async () => {
    const { store, sources, kinds } = follow(async () => answer(5, 1, [1]));
    await store.start();
    const payload = { code: "everything_clipped", step: 2, message: "All." };
    sources[0]?.send("alarm", { cursor: 6, attempt: 1, kind: "alarm", step: 2, time: 2, payload });
    expect(kinds).toEqual(["alarm"]);
  });

  it("closes at the end", async () => {
    const { store, sources } = follow(async () => answer(5, 1, [1]));
    await store.start();
    sources[0]?.send("end", {});
    expect(sources[0]?.closed).toBe(true);
    expect(store.getSnapshot().connection).toBe("ended");
  });

  it("asks for the series of a new attempt", async () => {
    let asked = 0;
    const answers = [answer(5, 1, [1, 2]), answer(6, 2, [1])];
    const { store, sources, steps } = follow(async () => answers[asked++] ?? answer(0, 1, []));
    await store.start();
    sources[0]?.send("metrics", step(6, 1, 2));
    sources[0]?.send("metrics", step(7, 2, 2));
    await vi.runAllTimersAsync();
    expect(asked).toBe(2);
    expect(store.getSnapshot().attempt).toBe(2);
    expect(steps()).toEqual([1, 2]);
  });

  it("joins again by itself when the server refuses the stream", async () => {
    const answers = [answer(5, 1, [1]), answer(8, 1, [1, 2])];
    const { store, sources } = follow(async () => answers.shift() ?? answer(8, 1, [1, 2]));
    await store.start();
    const [first] = sources;
    if (!first) throw new Error("no stream was opened");
    first.send("metrics", step(8, 2, 1));
    first.readyState = 2;
    first.onerror?.(new Event("error"));
    expect(store.getSnapshot().connection).toBe("reconnecting");
    await vi.advanceTimersByTimeAsync(1000);
    expect(sources[1]?.url).toBe("/api/runs/r%201/events?after=8");
  });
});
