/** What the charts of a page share while the pointer moves: the crosshair, the zoom, the frames. */
import { useSyncExternalStore } from "react";
import type { Range } from "./curve";

type Listener = () => void;

/** Charts that move together. `range` is undefined while no gesture is under way. */
class Group {
  hovered: number | null = null;
  range: Range | null | undefined = undefined;
  private readonly listeners = new Set<Listener>();

  readonly subscribe = (listener: Listener): Listener => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  hover(x: number | null): void {
    if (x === this.hovered) return;
    this.hovered = x;
    for (const listener of this.listeners) listener();
  }

  /** Shows a range at once in every chart; the page's own state follows when the hand rests. */
  move(range: Range | null | undefined): void {
    this.range = range;
    for (const listener of this.listeners) listener();
  }
}

const groups = new Map<string, Group>();

export function groupOf(name: string): Group {
  const known = groups.get(name);
  if (known) return known;
  const made = new Group();
  groups.set(name, made);
  return made;
}

export type { Group };

export function useHovered(name: string): number | null {
  const group = groupOf(name);
  return useSyncExternalStore(group.subscribe, () => group.hovered);
}

/** Draws, and tells how much: of how many points. */
type Draw = () => number;

/** A frame in which the page must still answer: what does not fit is drawn in the next. */
const FRAME_MS = 24;
/** Where there is no GPU, the browser paints what was drawn only after it: longer frames tell. */
const SLOW_FRAME_MS = 40;
const QUICK_FRAME_MS = 20;
const LEAST = 5000;
const MOST = 400_000;
const waiting = new Set<Draw>();
let asked = false;
/** Points that a frame may draw: fewer after a slow frame, more after a quick one that used it up. */
let budget = 4 * LEAST;
let last = 0;
/** Whether the frame before left something for this one. */
let goesOn = false;

function ask(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(drawSome);
}

/** Draws in the next frame that has room; once, however often it is asked for. */
export function schedule(draw: Draw): void {
  waiting.add(draw);
  ask();
}

export function unschedule(draw: Draw): void {
  waiting.delete(draw);
}

/** The budget after a frame that took so long. */
export function adapted(before: number, took: number): number {
  if (took > SLOW_FRAME_MS) return Math.max(LEAST, before / 2);
  return took < QUICK_FRAME_MS ? Math.min(MOST, before * 1.25) : before;
}

function drawSome(): void {
  asked = false;
  const begun = performance.now();
  // Only frames that follow each other tell what the one before has cost.
  if (goesOn) budget = adapted(budget, begun - last);
  last = begun;
  let points = 0;
  let drawn = 0;
  for (const draw of waiting) {
    waiting.delete(draw);
    points += draw();
    drawn += 1;
    // The next one will be like these.
    const full = points + points / drawn > budget;
    if (full || performance.now() - begun > FRAME_MS) break;
  }
  goesOn = waiting.size > 0;
  if (goesOn) ask();
}
