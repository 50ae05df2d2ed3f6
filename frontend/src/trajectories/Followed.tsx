import { useQuery } from "@tanstack/react-query";
import { ChevronLeft, ChevronRight } from "lucide-react";
import { trajectoriesQuery } from "../api/queries";
import type { RunDetail, TrajectoryDetail, TrajectorySummary } from "../api/types";
import { IconButton } from "../components/ui";
import { integer, number } from "../lib/format";
import type { TrajectoriesProps } from "./TrajectoriesTab";

interface FollowedProps {
  run: RunDetail;
  item: TrajectoryDetail;
  onSearch: TrajectoriesProps["onSearch"];
}

/** The same pinned example at every step at which it was sampled. */
export function Followed({ run, item, onSearch }: FollowedProps) {
  const { data } = useQuery(
    trajectoriesQuery(run.id, { pinned: true, sort: "step", attempt: item.attempt, limit: 200 }),
  );
  const same = (data?.items ?? []).filter((other) => other.record_id === item.record_id);
  const at = same.findIndex((other) => other.id === item.id);
  if (same.length < 2 || at < 0) return null;
  const go = (other: TrajectorySummary | undefined) => {
    if (other) onSearch({ trajectory: other.id });
  };
  return (
    <div className="panel flex items-center gap-3 px-3 py-1.5">
      <span className="shrink-0 text-muted text-sm">This example through training</span>
      <IconButton label="Earlier step" disabled={at === 0} onClick={() => go(same[at - 1])}>
        <ChevronLeft className="size-4" />
      </IconButton>
      <input
        type="range"
        aria-label="Step"
        aria-valuetext={`Step ${item.step}`}
        min={0}
        max={same.length - 1}
        value={at}
        onChange={(event) => go(same[Number(event.target.value)])}
        className="min-w-24 flex-1"
      />
      <IconButton
        label="Later step"
        disabled={at === same.length - 1}
        onClick={() => go(same[at + 1])}
      >
        <ChevronRight className="size-4" />
      </IconButton>
      <span className="w-52 shrink-0 text-right text-sm tabular-nums">
        step {integer(item.step)} of {integer(same.at(-1)?.step)}
        {item.divergence !== null && `, divergence ${number(item.divergence, 3)}`}
      </span>
    </div>
  );
}
