import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { workersQuery } from "../api/queries";
import { transitionsQuery } from "../api/steering";
import type { RunDetail, Transition } from "../api/types";
import { Inline } from "../components/Inline";
import { StatusChip } from "../components/StatusChip";
import { Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { absoluteTime, clockTime, epochIso } from "../lib/format";
import { Card } from "./cards";
import { actorWords, CAUSES, changeWords } from "./history";

/** Everything that became of a run, latest first, with cause and actor. */
export function History({ run }: { run: RunDetail }) {
  const { data, error, refetch } = useQuery(transitionsQuery(run.id));
  const workers = useQuery({ ...workersQuery, refetchInterval: false, staleTime: 60_000 });
  const names = useMemo(
    () => new Map(workers.data?.items.map((worker) => [worker.id, worker.name])),
    [workers.data],
  );
  return (
    <Card title="History" className="xl:col-span-2">
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="m-3 h-24" />}
      {data && (
        <ol>
          {data.items.toReversed().map((item) => (
            <Change key={item.cursor} item={item} actor={actorWords(item.actor, names)} />
          ))}
        </ol>
      )}
    </Card>
  );
}

function Change({ item, actor }: { item: Transition; actor: string }) {
  const iso = epochIso(item.time);
  const changes = changeWords(item.changes);
  return (
    <li
      data-testid="transition"
      className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-4 gap-y-0.5 border-line border-b px-3 py-2 last:border-b-0 md:grid-cols-[auto_200px_minmax(0,1fr)_minmax(0,160px)]"
    >
      <time dateTime={iso} title={absoluteTime(iso)} className="text-faint text-sm tabular-nums">
        {day(iso)} {clockTime(item.time)}
      </time>
      <span className="flex items-center gap-1.5">
        {item.previous && (
          <>
            <StatusChip status={item.previous} still />
            <span className="text-faint">→</span>
          </>
        )}
        {item.status && <StatusChip status={item.status} still />}
        {!item.status && <span className="text-muted">changed</span>}
      </span>
      <span className="col-start-2 min-w-0 md:col-start-auto">
        {item.cause && CAUSES[item.cause]}
        {changes.join("; ")}
        {item.problem && (
          <span className="block break-words text-muted text-sm">
            <Inline text={item.problem.message} />
          </span>
        )}
      </span>
      <span className="col-start-2 min-w-0 truncate text-muted text-sm md:col-start-auto md:text-right">
        by {actor}
      </span>
    </li>
  );
}

/** The day, unless it is today. */
function day(iso: string): string {
  const date = new Date(iso);
  if (date.toDateString() === new Date().toDateString()) return "";
  return date.toLocaleDateString(undefined, { day: "numeric", month: "short" });
}
