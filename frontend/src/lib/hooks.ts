import {
  type RefObject,
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";

/** The time in milliseconds, kept fresh for relative times and running clocks. */
export function useNow(everyMs: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Seconds since an answer came in, each second anew: figures of the server run on with it. */
export function useAge(answer: unknown): number {
  const now = useNow(1000);
  const got = useRef<{ answer: unknown; at: number }>({ answer: undefined, at: 0 });
  if (got.current.answer !== answer) got.current = { answer, at: Date.now() };
  return Math.max(0, (now - got.current.at) / 1000);
}

export function useDebounced<T>(value: T, delayMs: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), delayMs);
    return () => window.clearTimeout(timer);
  }, [value, delayMs]);
  return settled;
}

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const media = window.matchMedia(query);
      media.addEventListener("change", listener);
      return () => media.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

/** Whether an element is in sight, or nearly. */
export function useInView(element: RefObject<HTMLElement | null>): boolean {
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    const watch = new IntersectionObserver(
      (entries) => setSeen(entries.at(-1)?.isIntersecting ?? true),
      { rootMargin: "100px" },
    );
    watch.observe(element.current);
    return () => watch.disconnect();
  }, [element]);
  return seen;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title ? `${title} · UniSD Studio` : "UniSD Studio";
  }, [title]);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

type KeyMap = Record<string, (event: KeyboardEvent) => void>;

const maps = new Set<{ readonly current: KeyMap }>();
let prefix = "";
let timer = 0;

const find = (sequence: string) =>
  [...maps].find((keys) => keys.current[sequence])?.current[sequence];
const begins = (key: string) =>
  [...maps].some((keys) => Object.keys(keys.current).some((one) => one.startsWith(`${key} `)));

function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const handler = (prefix && find(`${prefix} ${event.key}`)) || find(event.key);
  window.clearTimeout(timer);
  prefix = "";
  if (handler) {
    event.preventDefault();
    handler(event);
  } else if (begins(event.key)) {
    prefix = event.key;
    timer = window.setTimeout(() => {
      prefix = "";
    }, 1000);
  }
}

/**
 * Single-key commands, off while one types or a dialog is open. A key may be a sequence of two
 * (`g r`), the second within a second of the first, whoever else has that key alone.
 */
export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    if (maps.size === 0) window.addEventListener("keydown", onKey);
    maps.add(latest);
    return () => {
      maps.delete(latest);
      if (maps.size === 0) window.removeEventListener("keydown", onKey);
    };
  }, []);
}
