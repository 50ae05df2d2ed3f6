/** Runs that are picked for something, with what one must know of them to decide. */
import type { components } from "../api/schema";
import type { RunSummary } from "../api/types";

export type Pick = components["schemas"]["RunPick"];
export type Selection = ReadonlyMap<string, Pick>;

export const NOTHING: Selection = new Map();

export const pickOf = (run: RunSummary): Pick => ({
  id: run.id,
  name: run.name,
  kind: run.kind,
  status: run.status,
  attempt: run.attempt,
  version: run.version,
});

export function toggled(selection: Selection, picks: readonly Pick[]): Selection {
  const all = picks.every((pick) => selection.has(pick.id));
  return all
    ? without(
        selection,
        picks.map((pick) => pick.id),
      )
    : added(selection, picks);
}

export function added(selection: Selection, picks: readonly Pick[]): Selection {
  const next = new Map(selection);
  for (const pick of picks) next.set(pick.id, pick);
  return next;
}

export function without(selection: Selection, ids: readonly string[]): Selection {
  const next = new Map(selection);
  for (const id of ids) next.delete(id);
  return next;
}

/** What was picked, as it is now where that is known. */
export function freshened(selection: Selection, runs: readonly RunSummary[]): Selection {
  const changed = runs.filter((run) => {
    const pick = selection.get(run.id);
    return pick && pick.version !== run.version;
  });
  return changed.length ? added(selection, changed.map(pickOf)) : selection;
}
