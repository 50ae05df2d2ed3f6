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
const waiting = new Set<Listener>();
let asked = false;

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

function drawSome(): void {
  asked = false;
  const begun = performance.now();
  for (const draw of waiting) {
    waiting.delete(draw);
    draw();
    if (performance.now() - begun > FRAME_MS) break;
  }
  if (waiting.size) ask();
}
