/** The keys of what is on screen, so that `?` can list them. */
import { useEffect, useSyncExternalStore } from "react";

export interface KeyGroup {
  title: string;
  /** Keys as they stand on the keyboard, and what they do. An en dash joins a range. */
  keys: readonly (readonly [keys: readonly string[], words: string])[];
}

const shown = new Map<object, KeyGroup>();
const listeners = new Set<() => void>();
let groups: readonly KeyGroup[] = [];

/** Groups of one title become one; a part may add to what its page has. */
function merged(): KeyGroup[] {
  const byTitle = new Map<string, KeyGroup>();
  for (const { title, keys } of shown.values()) {
    const before = byTitle.get(title)?.keys ?? [];
    byTitle.set(title, { title, keys: [...before, ...keys] });
  }
  return [...byTitle.values()];
}

function changed(): void {
  groups = merged();
  for (const listener of listeners) listener();
}

/** Lists keys under `?` while the component is there. `group` is a constant outside of it. */
export function useKeyHelp(group: KeyGroup): void {
  useEffect(() => {
    const mark = {};
    shown.set(mark, group);
    changed();
    return () => {
      shown.delete(mark);
      changed();
    };
  }, [group]);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useKeyGroups = (): readonly KeyGroup[] =>
  useSyncExternalStore(subscribe, () => groups);
