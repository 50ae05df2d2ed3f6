import { asApiError } from "../api/client";
import { fetchMetrics } from "../api/queries";
import { EVENT_KINDS, type EventKind, type RunEvent } from "../api/types";
import { Backoff } from "./backoff";
import { EMPTY, type LiveState, load, receive } from "./reducer";

export type Connection = "loading" | "live" | "reconnecting" | "ended" | "failed";

export interface Snapshot extends LiveState {
  readonly connection: Connection;
  readonly error: Error | null;
  /** Cursor at which the stream was joined: log lines after it come from the stream. */
  readonly joinedAt: number | null;
}

/** Between two looks at what is new; what comes after a longer silence is shown in the next frame. */
const NOTIFY_MS = 200;
const FRAME_MS = 16;

type Source = Pick<EventSource, "addEventListener" | "close" | "readyState"> & {
  onopen: ((event: Event) => void) | null;
  onerror: ((event: Event) => void) | null;
};

interface StoreOptions {
  runId: string;
  onEvent: (kind: EventKind) => void;
  open?: (url: string) => Source;
  metrics?: typeof fetchMetrics;
}

/**
 * Follows one run: asks for the series once, then appends what the stream brings. Events that
 * arrive while the series are asked for again are kept and counted in afterwards.
 */
export class RunStore {
  private state: LiveState = EMPTY;
  private connection: Connection = "loading";
  private error: Error | null = null;
  private joinedAt: number | null = null;
  private snapshot: Snapshot;
  private source: Source | null = null;
  private pending: RunEvent[] | null = null;
  /** Rises with every start and close: what an older one still waits for is then dropped. */
  private generation = 0;
  private published = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private retry: ReturnType<typeof setTimeout> | null = null;
  private readonly backoff = new Backoff();
  private readonly listeners = new Set<() => void>();
  private readonly options: Required<StoreOptions>;

  constructor(options: StoreOptions) {
    this.options = {
      open: (url) => new EventSource(url),
      metrics: fetchMetrics,
      ...options,
    };
    this.snapshot = this.take();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getSnapshot = (): Snapshot => this.snapshot;

  async start(): Promise<void> {
    this.generation += 1;
    this.cancelRetry();
    const { generation } = this;
    const { cursor } = this.state;
    try {
      const metrics = await this.options.metrics(this.options.runId, null);
      if (generation !== this.generation) return;
      // A server that knows less than it once told was set back: what it told no longer holds.
      const setBack = metrics.cursor < cursor;
      if (setBack) this.joinedAt = null;
      this.state = load(setBack ? EMPTY : this.state, metrics);
      this.error = null;
      this.joinedAt ??= metrics.cursor;
      this.connect();
    } catch (cause) {
      if (generation !== this.generation) return;
      this.error = asApiError(cause);
      // What was shown stays: a server that is away for a moment must not take the curves away.
      this.connection = this.joinedAt === null ? "failed" : "reconnecting";
      this.retryLater(() => void this.start());
    }
    this.publish(true);
  }

  close(): void {
    this.generation += 1;
    this.source?.close();
    if (this.timer) clearTimeout(this.timer);
    this.cancelRetry();
  }

  private cancelRetry(): void {
    if (this.retry) clearTimeout(this.retry);
    this.retry = null;
  }

  private retryLater(again: () => void): void {
    this.cancelRetry();
    this.retry = setTimeout(again, this.backoff.next());
  }

  private connect(): void {
    const url = `/api/runs/${encodeURIComponent(this.options.runId)}/events?after=${this.state.cursor}`;
    this.source?.close();
    const source = this.options.open(url);
    this.source = source;
    for (const kind of EVENT_KINDS) {
      source.addEventListener(kind, (message) => this.count(kind, message as MessageEvent));
    }
    source.addEventListener("end", () => this.end());
    source.onopen = () => {
      this.backoff.reset();
      this.setConnection("live");
    };
    source.onerror = () => this.onError(source);
  }

  private onError(source: Source): void {
    if (source !== this.source) return;
    // The browser would try again at fixed pauses, and never after an answer that is no stream
    // (401, 422, 503); for that one the series are asked for again, since they tell the reason.
    const refused = source.readyState === 2;
    source.close();
    this.setConnection("reconnecting");
    this.retryLater(() => (refused ? void this.start() : this.connect()));
  }

  private end(): void {
    this.source?.close();
    this.setConnection("ended");
    this.options.onEvent("finished");
  }

  private count(kind: EventKind, message: MessageEvent): void {
    const event = JSON.parse(String(message.data)) as RunEvent;
    const before = this.state;
    this.state = receive(before, event);
    if (this.state === before) return;
    this.pending?.push(event);
    if (this.state.attempt !== before.attempt) void this.reload();
    // Of many lines older ones were let go: the log's pages begin anew where the stream now is.
    if (this.state.logs.length < before.logs.length) this.joinedAt = this.state.cursor;
    this.options.onEvent(kind);
    this.publish();
  }

  private async reload(): Promise<void> {
    if (this.pending) return;
    const pending: RunEvent[] = [];
    this.pending = pending;
    const { generation } = this;
    try {
      const metrics = await this.options.metrics(this.options.runId, this.state.attempt);
      if (generation !== this.generation) return;
      if (metrics.attempt === this.state.attempt) {
        this.state = load(this.state, metrics, pending);
      }
    } catch {
      // What the stream brought stands.
    } finally {
      this.pending = null;
      this.publish();
    }
  }

  private setConnection(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    this.publish(true);
  }

  private publish(now = false): void {
    if (now) {
      this.published = Date.now();
      this.snapshot = this.take();
      for (const listener of this.listeners) listener();
      return;
    }
    const pause = Math.max(FRAME_MS, this.published + NOTIFY_MS - Date.now());
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.publish(true);
    }, pause);
  }

  private take(): Snapshot {
    const { connection, error, joinedAt } = this;
    return { ...this.state, connection, error, joinedAt };
  }
}
