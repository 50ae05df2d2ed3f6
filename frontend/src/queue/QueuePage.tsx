import { useQuery } from "@tanstack/react-query";
import { Pause, Play } from "lucide-react";
import { workersQuery } from "../api/queries";
import { queuesQuery, refusal, usePauseQueue } from "../api/steering";
import type { Queue, QueueName, Worker } from "../api/types";
import { Failure, Notice } from "../components/states";
import { Time } from "../components/Time";
import { Button, Skeleton } from "../components/ui";
import { epochIso, integer } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { Page } from "../shell/Page";
import { QueueTable } from "./QueueTable";

const WORDS: Record<QueueName, { title: string; purpose: string }> = {
  gpu: { title: "GPU queue", purpose: "Training and large evaluations." },
  interactive: {
    title: "Interactive queue",
    purpose: "Short work that somebody waits for; workers take it first.",
  },
};

export function QueuePage() {
  useTitle("Queue");
  const { data, error, refetch } = useQuery(queuesQuery);
  const workers = useQuery(workersQuery);
  return (
    <Page crumbs={[{ label: "Queue" }]}>
      <div className="flex flex-col gap-4 p-4 md:p-6">
        {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
        {!data && !error && (
          <div role="status" aria-label="Loading">
            <Skeleton className="h-48" />
          </div>
        )}
        {data?.items.map((queue) => (
          <QueuePanel key={queue.name} queue={queue} workers={workers.data?.items} />
        ))}
      </div>
    </Page>
  );
}

interface QueuePanelProps {
  queue: Queue;
  workers: Worker[] | undefined;
}

function QueuePanel({ queue, workers }: QueuePanelProps) {
  const pause = usePauseQueue();
  const { title, purpose } = WORDS[queue.name];
  const problem = refusal(pause.error);
  return (
    <section aria-labelledby={`queue-${queue.name}`} className="panel overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b px-4 py-3">
        <div className="min-w-0 flex-1">
          <h2 id={`queue-${queue.name}`} className="font-semibold text-lg">
            {title} <span className="font-normal text-muted">{integer(queue.waiting)} waiting</span>
          </h2>
          <p className="text-muted text-sm">
            {purpose} <Served queue={queue.name} workers={workers} />
          </p>
        </div>
        {!queue.paused && queue.changed_at !== null && (
          <span className="text-faint text-sm">
            resumed by {queue.changed_by || "someone"}, <Time iso={epochIso(queue.changed_at)} />
          </span>
        )}
        <Button
          busy={pause.isPending}
          onClick={() => pause.mutate({ name: queue.name, pause: !queue.paused })}
        >
          {queue.paused ? (
            <Play aria-hidden="true" className="size-3.5" />
          ) : (
            <Pause aria-hidden="true" className="size-3.5" />
          )}
          {queue.paused ? "Resume the queue" : "Pause the queue"}
        </Button>
      </header>
      {problem && (
        <p role="alert" className="border-line border-b px-4 py-2 text-bad">
          {problem}
        </p>
      )}
      {queue.paused && (
        <div className="border-line border-b p-3">
          <Notice
            tone="warn"
            title={
              <>
                Paused by {queue.changed_by || "someone"}
                {queue.changed_at !== null && (
                  <>
                    , <Time iso={epochIso(queue.changed_at)} />
                  </>
                )}
              </>
            }
          >
            <p className="text-muted">No run starts from here. Those that have started go on.</p>
          </Notice>
        </div>
      )}
      {queue.runs.length === 0 ? (
        <p className="px-4 py-5 text-muted">Nothing waits here.</p>
      ) : (
        <QueueTable queue={queue} />
      )}
    </section>
  );
}

/** Who takes runs from a queue now. */
function Served({ queue, workers }: { queue: QueueName; workers: Worker[] | undefined }) {
  if (!workers) return null;
  const serving = workers.filter(
    (worker) =>
      worker.queues.includes(queue) &&
      worker.mode === "active" &&
      (worker.status === "idle" || worker.status === "busy"),
  );
  if (serving.length === 0) return <span className="text-warn">No worker takes runs from it.</span>;
  if (serving.length === 1) return <>One worker takes runs from it.</>;
  return <>{integer(serving.length)} workers take runs from it.</>;
}
