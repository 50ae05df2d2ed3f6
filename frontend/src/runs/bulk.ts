/** One wish about many runs, told in parts; what became of each is kept, whatever happens. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError, client, unwrap } from "../api/client";
import type { components } from "../api/schema";
import type { Pick } from "./selection";

type Wish = components["schemas"]["BulkWish"];
export type Outcome = components["schemas"]["BulkOutcome"];
export type BulkAction = Wish["action"];
export type BulkWish = { action: BulkAction } & Partial<Omit<Wish, "action" | "runs">>;

const AT_ONCE = 50;

async function part(wish: BulkWish, picks: readonly Pick[]): Promise<Outcome[]> {
  const runs = picks.map(({ id, version }) =>
    // Tags and clones do not depend on how a run stands.
    wish.action === "tag" || wish.action === "clone" ? { id } : { id, version },
  );
  const body = { mode: "save", add: [], remove: [], ...wish, runs } as Wish;
  try {
    const { items } = await unwrap(client.POST("/api/runs/bulk", { body }));
    // A run that is gone has no name any more, but had one when it was picked.
    return items.map((one, i) => ({ ...one, name: one.name ?? picks[i]?.name ?? null }));
  } catch (cause) {
    const { code, message, remedy } = asApiError(cause);
    const problem = { code, message, remedy, field: null, line: null };
    return picks.map(({ id, name }) => ({ id, name, created_id: null, problem }));
  }
}

export function useBulk() {
  const queries = useQueryClient();
  const [done, setDone] = useState<number | null>(null);
  const carryOut = async (wish: BulkWish, picks: readonly Pick[]): Promise<Outcome[]> => {
    const outcomes: Outcome[] = [];
    setDone(0);
    try {
      for (let start = 0; start < picks.length; start += AT_ONCE) {
        outcomes.push(...(await part(wish, picks.slice(start, start + AT_ONCE))));
        setDone(outcomes.length);
      }
    } finally {
      setDone(null);
      void queries.invalidateQueries({ queryKey: ["runs"] });
      void queries.invalidateQueries({ queryKey: ["queues"] });
      void queries.invalidateQueries({ queryKey: ["projects"] });
      for (const { id } of outcomes) void queries.invalidateQueries({ queryKey: ["run", id] });
    }
    return outcomes;
  };
  return { carryOut, done };
}
