import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { MetricSeries } from "../api/types";
import { Backoff } from "./backoff";
import { RunStore } from "./store";

const LAST = 60;

/** A server with one event a step; a stream is cut when the test says so. */
class FakeServer {
  away = false;
  /** Events that it has: numbers 1 to this. */
  events = 0;
  asked = 0;
  readonly streams: FakeStream[] = [];

  readonly metrics = async (): Promise<MetricSeries> => {
    this.asked += 1;
    if (this.away) throw new TypeError("Failed to fetch");
    const steps = Array.from({ length: this.events }, (_, index) => index + 1);
    const series = {
      name: "train/loss",
      steps,
      values: steps,
      non_finite: [],
      times: steps,
      points: steps.length,
    };
    return { attempt: 1, cursor: this.events, items: [series] };
  };

  readonly open = (url: string): EventSource => {
    const stream = new FakeStream(Number(new URL(url, "http://x").searchParams.get("after")));
    this.streams.push(stream);
    setTimeout(() => (this.away ? stream.fail(0) : stream.accept(this.events)));
    return stream as unknown as EventSource;
  };

  get stream(): FakeStream {
    const stream = this.streams.at(-1);
    if (!stream) throw new Error("no stream was opened");
    return stream;
  }

  report(): void {
    this.events += 1;
    if (!this.away) this.stream.send(this.events);
  }

  goAway(): void {
    this.away = true;
    this.stream.fail(0);
  }
}

class FakeStream {
  onopen: ((event: Event) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;
  readyState = 0;
  closed = false;
  private sent: number;
  private readonly handlers = new Map<string, (message: MessageEvent) => void>();

  constructor(after: number) {
    this.sent = after;
  }
  addEventListener(kind: string, handler: unknown): void {
    this.handlers.set(kind, handler as (message: MessageEvent) => void);
  }
  close(): void {
    this.closed = true;
  }
  accept(events: number): void {
    if (this.closed) return;
    this.readyState = 1;
    this.onopen?.(new Event("open"));
    while (this.sent < events) this.send(this.sent + 1);
  }
  send(cursor: number): void {
    if (this.closed || this.readyState !== 1) return;
    this.sent = cursor;
    const payload = { step: cursor, total_steps: LAST, epoch: 0, values: { "train/loss": cursor } };
    const event = { cursor, attempt: 1, kind: "metrics", step: cursor, time: cursor, payload };
    this.handlers.get("metrics")?.(new MessageEvent("metrics", { data: JSON.stringify(event) }));
  }
  fail(readyState: number): void {
    if (this.closed) return;
    this.readyState = readyState;
    this.onerror?.(new Event("error"));
  }
}

function follow() {
  const server = new FakeServer();
  const { metrics, open } = server;
  const store = new RunStore({ runId: "r", onEvent: () => {}, metrics, open });
  const steps = () => store.getSnapshot().curves["train/loss"]?.steps ?? [];
  return { server, store, steps };
}

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1);

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("a page whose server goes away", () => {
  it("shows every step once, however often and long the server is away", async () => {
    const { server, store, steps } = follow();
    await store.start();
    await vi.advanceTimersByTimeAsync(10);
    for (let step = 1; step <= LAST; step += 1) {
      if (step % 10 === 4) server.goAway();
      if (step % 10 === 8) server.away = false;
      server.report();
      await vi.advanceTimersByTimeAsync(700);
    }
    await vi.advanceTimersByTimeAsync(20_000);
    expect(steps()).toEqual(upTo(LAST));
    expect(store.getSnapshot()).toMatchObject({ connection: "live", step: LAST });
    expect(server.streams.filter((stream) => !stream.closed)).toHaveLength(1);
  });

  it("says that it is not live, keeps its curves, and tries ever more rarely", async () => {
    const { server, store, steps } = follow();
    server.events = 5;
    await store.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(store.getSnapshot().connection).toBe("live");
    server.goAway();
    const tried: number[] = [];
    for (let second = 1; second <= 60; second += 1) {
      const before = server.streams.length;
      await vi.advanceTimersByTimeAsync(1000);
      if (server.streams.length > before) tried.push(second);
      expect(store.getSnapshot().connection).toBe("reconnecting");
      expect(steps()).toEqual(upTo(5));
    }
    expect(tried).toEqual([1, 4, 8, 16, 31, 46]);
    server.away = false;
    server.report();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(store.getSnapshot().connection).toBe("live");
    expect(steps()).toEqual(upTo(6));
  });

  it("keeps its curves when even the series are refused", async () => {
    const { server, store, steps } = follow();
    server.events = 5;
    await store.start();
    await vi.advanceTimersByTimeAsync(10);
    server.away = true;
    server.stream.fail(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(server.asked).toBeGreaterThan(2);
    expect(store.getSnapshot().connection).toBe("reconnecting");
    expect(steps()).toEqual(upTo(5));
    server.away = false;
    await vi.advanceTimersByTimeAsync(16_000);
    expect(store.getSnapshot()).toMatchObject({ connection: "live", error: null });
  });

  it("says why when nothing could be loaded, and loads when it can", async () => {
    const { server, store, steps } = follow();
    server.away = true;
    server.events = 3;
    await store.start();
    expect(store.getSnapshot().connection).toBe("failed");
    server.away = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(store.getSnapshot().connection).toBe("live");
    expect(steps()).toEqual(upTo(3));
  });

  it("starts over when the server was set back to an older state", async () => {
    const { server, store, steps } = follow();
    server.events = 9;
    await store.start();
    await vi.advanceTimersByTimeAsync(10);
    server.events = 4;
    server.stream.fail(2);
    await vi.advanceTimersByTimeAsync(2000);
    expect(steps()).toEqual(upTo(4));
    server.report();
    await vi.advanceTimersByTimeAsync(1000);
    expect(steps()).toEqual(upTo(5));
  });

  it("asks for nothing after it was left", async () => {
    const { server, store } = follow();
    await store.start();
    await vi.advanceTimersByTimeAsync(10);
    server.goAway();
    store.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(server.streams).toHaveLength(1);
    expect(server.asked).toBe(1);
  });
});

describe("pauses", () => {
  it("are shortened by chance, up to a half, and start anew after a success", () => {
    const backoff = new Backoff();
    expect(backoff.next()).toBe(1000);
    vi.mocked(Math.random).mockReturnValue(1);
    expect(backoff.next()).toBe(1000);
    expect(backoff.next()).toBe(2000);
    backoff.reset();
    expect(backoff.next()).toBe(500);
  });
});
