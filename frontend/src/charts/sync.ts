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

/** A frame in which the page must still answer: what does not fit is drawn in the next. */
const FRAME_MS = 24;
/** Where there is no GPU, the browser paints what was drawn only after it: longer frames tell. */
const SLOW_FRAME_MS = 40;
const QUICK_FRAME_MS = 20;
const MOST_AT_ONCE = 16;
const waiting = new Set<Listener>();
let asked = false;
/** Charts in a frame: fewer after a slow one, more after a quick one. */
let atOnce = 1;
let last = 0;

function ask(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(drawSome);
}

/** Draws in the next frame that has room; once, however often it is asked for. */
export function schedule(draw: Listener): void {
  waiting.add(draw);
  ask();
}

export function unschedule(draw: Listener): void {
  waiting.delete(draw);
}

function adapt(now: number, goesOn: boolean): void {
  // Only frames that follow each other tell what the one before has cost.
  if (goesOn && now - last > SLOW_FRAME_MS) atOnce = Math.max(1, Math.floor(atOnce / 2));
  else if (goesOn && now - last < QUICK_FRAME_MS) atOnce = Math.min(MOST_AT_ONCE, atOnce + 1);
  last = now;
}

let goesOn = false;

function drawSome(): void {
  asked = false;
  const begun = performance.now();
  adapt(begun, goesOn);
  let drawn = 0;
  for (const draw of waiting) {
    waiting.delete(draw);
    draw();
    drawn += 1;
    if (drawn >= atOnce || performance.now() - begun > FRAME_MS) break;
  }
  goesOn = waiting.size > 0;
  if (goesOn) ask();
}
