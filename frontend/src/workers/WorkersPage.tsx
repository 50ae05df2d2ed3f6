import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { workersQuery } from "../api/queries";
import type { Worker } from "../api/types";
import { Copy } from "../components/Copy";
import { Empty, Failure } from "../components/states";
import { Segmented, Skeleton } from "../components/ui";
import { useTitle } from "../lib/hooks";
import type { Span } from "../searches";
import { Page } from "../shell/Page";
import { WorkerCard } from "./WorkerCard";

export function WorkersPage() {
  useTitle("Workers");
  const workers = useQuery(workersQuery);
  const { past = "hour", worker } = useSearch({ from: "/workers" });
  const navigate = useNavigate({ from: "/workers" });
  const span = (
    <Segmented<Span>
      label="How far back"
      small
      value={past}
      options={[
        { value: "hour", label: "Last hour" },
        { value: "day", label: "Last day" },
      ]}
      onChange={(next) =>
        void navigate({
          search: { worker, past: next === "hour" ? undefined : next },
          replace: true,
        })
      }
    />
  );
  const some = (workers.data?.items.length ?? 0) > 0;
  return (
    <Page crumbs={[{ label: "Workers" }]} actions={some && span}>
      {body(workers, past, worker)}
    </Page>
  );
}

type Workers = ReturnType<typeof useQuery<{ items: Worker[] }>>;

function body({ data, error, refetch }: Workers, span: Span, meant: string | undefined) {
  if (error && !data) return <Failure error={error} onRetry={() => void refetch()} />;
  if (!data) {
    return (
      <div role="status" aria-label="Loading" className="grid gap-3 p-4 md:p-6 xl:grid-cols-2">
        <Skeleton className="h-64" />
        <Skeleton className="h-64" />
      </div>
    );
  }
  if (data.items.length === 0) return <NoWorkers />;
  return (
    <ul className="gap-3 p-4 md:p-6 xl:columns-2">
      {data.items.map((worker) => (
        <WorkerCard key={worker.id} worker={worker} span={span} meant={worker.id === meant} />
      ))}
    </ul>
  );
}

function NoWorkers() {
  return (
    <Empty title="No worker has ever connected">
      <p>
        Runs wait in the queue until a worker takes them. Start one on this machine, or on any host
        that reaches the same database and Redis:
      </p>
      <div className="panel mx-auto mt-4 flex w-fit items-center gap-2 py-1 pr-1 pl-3 font-mono text-ink text-sm">
        unisd worker
        <Copy compact text="unisd worker" label="Copy the command" />
      </div>
    </Empty>
  );
}
