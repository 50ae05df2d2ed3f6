/** How a person has arranged the charts of runs; kept in the browser, the same for all runs. */
import { useSyncExternalStore } from "react";
import { recall, remember } from "../lib/storage";
import type { ChartGroup, ChartSpec } from "./specs";

export const SIZES = ["small", "medium", "large"] as const;
export type ChartSize = (typeof SIZES)[number];

export interface ChartLayout {
  /** Chart ids as they were put in order; those that are not there follow in their own. */
  readonly order: readonly string[];
  readonly hidden: readonly string[];
  /** Charts that take a whole row. */
  readonly wide: readonly string[];
  readonly size: ChartSize;
}

export const PLAIN_LAYOUT: ChartLayout = { order: [], hidden: [], wide: [], size: "medium" };

export const HEIGHTS: Record<ChartSize, number> = { small: 168, medium: 216, large: 340 };
export const COLUMNS: Record<ChartSize, string> = {
  small: "sm:grid-cols-2 lg:grid-cols-3 2xl:grid-cols-4",
  medium: "md:grid-cols-2 2xl:grid-cols-3",
  large: "2xl:grid-cols-2",
};

const texts = (raw: unknown): string[] =>
  Array.isArray(raw) ? raw.filter((item): item is string => typeof item === "string") : [];

/** What was stored, whatever it is by now. */
export function readLayout(text: string | null): ChartLayout {
  try {
    const raw: unknown = JSON.parse(text ?? "{}");
    if (typeof raw !== "object" || raw === null) return PLAIN_LAYOUT;
    const { order, hidden, wide, size } = raw as Record<string, unknown>;
    return {
      order: texts(order),
      hidden: texts(hidden),
      wide: texts(wide),
      size: SIZES.find((known) => known === size) ?? "medium",
    };
  } catch {
    return PLAIN_LAYOUT;
  }
}

/** The charts of a group as they are to be shown. */
export function arranged({ charts }: ChartGroup, layout: ChartLayout): ChartSpec[] {
  const rank = new Map(layout.order.map((id, i) => [id, i]));
  const shown = charts.filter(({ id }) => !layout.hidden.includes(id));
  const places = shown.map((chart) => rank.get(chart.id)).filter((place) => place !== undefined);
  // A group is put in order as a whole, so either all of its charts have a rank or none; one that
  // is new since then keeps its place beside the one before it.
  if (places.length === 0) return shown;
  let before = -1;
  const keyed = shown.map((chart) => {
    before = rank.get(chart.id) ?? before + 0.5;
    return { chart, key: before };
  });
  return keyed.sort((a, b) => a.key - b.key).map(({ chart }) => chart);
}

/** A chart changes places with its neighbour. */
export function moved(layout: ChartLayout, group: ChartGroup, id: string, by: -1 | 1): ChartLayout {
  const ids = arranged(group, layout).map((chart) => chart.id);
  const from = ids.indexOf(id);
  const to = from + by;
  const other = ids[to];
  if (from < 0 || other === undefined) return layout;
  ids[from] = other;
  ids[to] = id;
  const rest = layout.order.filter((one) => !ids.includes(one));
  return { ...layout, order: [...rest, ...ids] };
}

const toggled = (list: readonly string[], id: string): string[] =>
  list.includes(id) ? list.filter((one) => one !== id) : [...list, id];

export const hiddenToggled = (layout: ChartLayout, id: string): ChartLayout => ({
  ...layout,
  hidden: toggled(layout.hidden, id),
});

export const wideToggled = (layout: ChartLayout, id: string): ChartLayout => ({
  ...layout,
  wide: toggled(layout.wide, id),
});

const KEY = "charts";
const listeners = new Set<() => void>();
let current: ChartLayout | null = null;

const now = (): ChartLayout => {
  current ??= readLayout(recall(KEY));
  return current;
};

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setLayout(layout: ChartLayout): void {
  current = layout;
  remember(KEY, JSON.stringify(layout));
  for (const listener of listeners) listener();
}

export const useLayout = (): ChartLayout => useSyncExternalStore(subscribe, now);
