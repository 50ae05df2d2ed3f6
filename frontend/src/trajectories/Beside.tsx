import { useQuery } from "@tanstack/react-query";
import { ChevronDown, ChevronUp } from "lucide-react";
import { neighboursQuery } from "../api/trajectoryQueries";
import { IconButton } from "../components/ui";
import { integer } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { splitList } from "../lib/search";
import { DEFAULT_SORT, listQuery, sortWords } from "./summaries";
import type { TrajectoriesProps } from "./TrajectoriesTab";

const KEYS = {
  title: "Trajectory",
  keys: [[["j", "k"], "Next, previous rollout of the list"]],
} as const;

/** Where the open rollout stands in the list it was opened from, and the way to those beside it. */
export function Beside({ run, search, onSearch }: TrajectoriesProps) {
  const filters = splitList(search.filter);
  const { data } = useQuery(
    neighboursQuery(run.id, search.trajectory ?? 0, listQuery(search, filters)),
  );
  const go = (id: number | null | undefined) => {
    if (id != null) onSearch({ trajectory: id, token: undefined });
  };
  useKeys({ j: () => go(data?.next), k: () => go(data?.previous) });
  useKeyHelp(KEYS);
  if (!data) return <div className="h-10 border-line border-b" />;
  return (
    <div className="flex h-10 items-center gap-2 border-line border-b bg-surface px-4 text-sm md:px-6">
      <IconButton
        label="Previous rollout of the list"
        disabled={data.previous === null}
        onClick={() => go(data.previous)}
      >
        <ChevronUp className="size-4" />
      </IconButton>
      <IconButton
        label="Next rollout of the list"
        disabled={data.next === null}
        onClick={() => go(data.next)}
      >
        <ChevronDown className="size-4" />
      </IconButton>
      <span className="tabular-nums">
        {integer(data.position)} of {integer(data.total)}
      </span>
      <span className="truncate text-muted">
        {sortWords(search.sort ?? DEFAULT_SORT)}
        {filters.length > 0 && ", filtered"}
      </span>
    </div>
  );
}
