/** Which token is chosen and which lies under the pointer: apart from React, as it moves fast. */
import { createContext, type KeyboardEvent, useContext, useSyncExternalStore } from "react";

export interface Place {
  chosen: number | null;
  hovered: number | null;
}

export class Cursor {
  private place: Place;
  private readonly listeners = new Set<(place: Place, before: Place) => void>();

  constructor(chosen: number | null) {
    this.place = { chosen, hovered: null };
  }

  get = (): Place => this.place;

  /** Calls back at each move, before React draws. */
  listen = (listener: (place: Place, before: Place) => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  choose(chosen: number | null): void {
    this.move({ chosen, hovered: null });
  }

  hover(hovered: number | null): void {
    this.move({ ...this.place, hovered });
  }

  private move(place: Place): void {
    const before = this.place;
    if (before.chosen === place.chosen && before.hovered === place.hovered) return;
    this.place = place;
    for (const listener of this.listeners) listener(place, before);
  }
}

const Context = createContext<Cursor | null>(null);
export const CursorProvider = Context.Provider;

export function useCursor(): Cursor {
  const cursor = useContext(Context);
  if (!cursor) throw new Error("a part of the reader stands outside of it");
  return cursor;
}

export function usePlace(): Place {
  const cursor = useCursor();
  return useSyncExternalStore(cursor.listen, cursor.get);
}

/** The token to tell of: the one pointed at, else the chosen one. */
export const shownOf = ({ chosen, hovered }: Place): number | null => hovered ?? chosen;

/** Home and End within a list or the map of tokens; elsewhere they scroll the page. */
export function toEnds(event: KeyboardEvent, cursor: Cursor, count: number): void {
  if (!count || (event.key !== "Home" && event.key !== "End")) return;
  event.preventDefault();
  cursor.choose(event.key === "Home" ? 0 : count - 1);
}
