import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { workersQuery } from "../api/queries";
import type { Gpu, Worker } from "../api/types";
import { Copy } from "../components/Copy";
import { Empty, Failure } from "../components/states";
import { Time } from "../components/Time";
import { Bar, Skeleton } from "../components/ui";
import { bytes, duration, percent, UNKNOWN } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { Page } from "../shell/Page";

export function WorkersPage() {
  useTitle("Workers");
  const workers = useQuery(workersQuery);
  return <Page crumbs={[{ label: "Workers" }]}>{body(workers)}</Page>;
}

function body({ data, error, refetch }: ReturnType<typeof useQuery<{ items: Worker[] }>>) {
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
        <WorkerCard key={worker.id} worker={worker} />
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

const STATES: Record<Worker["status"], { words: string; chip: string; dot: string }> = {
  busy: { words: "Busy", chip: "bg-live-soft text-live", dot: "bg-live" },
  idle: { words: "Idle", chip: "bg-ok-soft text-ok", dot: "bg-ok" },
  stale: { words: "Not heard of", chip: "bg-warn-soft text-warn", dot: "bg-warn" },
  lost: { words: "Lost", chip: "bg-bad-soft text-bad", dot: "bg-bad rotate-45 rounded-[1px]!" },
  gone: { words: "Signed off", chip: "bg-idle-soft text-idle", dot: "border border-idle" },
};

function WorkerCard({ worker }: { worker: Worker }) {
  const state = STATES[worker.status];
  const alive = worker.status === "busy" || worker.status === "idle";
  const { hardware, usage } = worker;
  return (
    <li
      className="panel mb-3 break-inside-avoid overflow-hidden"
      data-testid={`worker-${worker.name}`}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b px-4 py-3">
        <h2 className="font-semibold">{worker.name}</h2>
        <span
          className={`inline-flex h-[22px] items-center gap-1.5 rounded-full px-2 font-medium text-xs ${state.chip}`}
        >
          <span aria-hidden="true" className={`size-1.5 rounded-full ${state.dot}`} />
          {state.words}
        </span>
        <span className="ml-auto text-faint text-sm">
          heartbeat {duration(worker.heartbeat_age)} ago
        </span>
        <p className="w-full text-muted text-sm">
          {worker.hostname}, process {worker.pid}, started <Time iso={worker.started_at} />
        </p>
      </div>
      <dl className="border-line border-b px-4 py-2.5">
        <Row label="Runs">
          {worker.run_id ? (
            <Link
              to="/runs/$runId"
              params={{ runId: worker.run_id }}
              className="text-accent-text underline decoration-line-strong underline-offset-2 hover:decoration-current"
            >
              {worker.run_name ?? worker.run_id}
            </Link>
          ) : (
            <span className="text-muted">nothing</span>
          )}
        </Row>
        <Row label="Processor">
          {hardware.cpu}, {hardware.cores} cores
        </Row>
      </dl>
      {/** What a silent host last said is no longer true. */}
      {alive ? (
        <div className="flex flex-col gap-2.5 px-4 py-3">
          <Meter label="CPU" share={usage.cpu} words={percent(usage.cpu)} />
          <Meter
            label="Memory"
            share={usage.memory_used / hardware.memory_total}
            words={`${bytes(usage.memory_used)} of ${bytes(hardware.memory_total)}`}
          />
          <div className="flex justify-between text-sm">
            <span className="text-muted">Disk free</span>
            {bytes(usage.disk_free)}
          </div>
          {usage.gpus.map((gpu) => (
            <GpuMeters key={gpu.index} gpu={gpu} />
          ))}
          {usage.gpus.length === 0 && (
            <p className="text-faint text-sm">No GPU: runs train on the CPU.</p>
          )}
        </div>
      ) : (
        <p className="px-4 py-3 text-muted text-sm">
          {worker.status === "lost"
            ? "It stopped answering without saying goodbye. What it ran is taken up by another worker."
            : "It was shut down."}
        </p>
      )}
      <p className="border-line border-t px-4 py-2 text-faint text-xs">
        {Object.entries(worker.versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(" · ")}
      </p>
    </li>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6 py-0.5">
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0 text-right">{children}</dd>
    </div>
  );
}

function Meter({ label, share, words }: { label: string; share: number | null; words: string }) {
  return (
    <div>
      <div className="mb-1 flex justify-between gap-4 text-sm">
        <span className="truncate text-muted">{label}</span>
        <span className="whitespace-nowrap tabular-nums">{words}</span>
      </div>
      <Bar
        share={share}
        label={label}
        tone={share !== null && share > 0.95 ? "bg-warn" : "bg-accent"}
      />
    </div>
  );
}

function GpuMeters({ gpu }: { gpu: Gpu }) {
  const { memory_used: used, memory_total: total } = gpu;
  const share = used !== null && total ? used / total : null;
  const heat = gpu.temperature === null ? UNKNOWN : `${Math.round(gpu.temperature)} °C`;
  const power = gpu.power === null ? UNKNOWN : `${Math.round(gpu.power)} W`;
  return (
    <section
      aria-label={`GPU ${gpu.index}`}
      className="mt-1 flex flex-col gap-2 rounded-control bg-sunken p-3"
    >
      <div className="flex justify-between gap-4 text-sm">
        <span className="truncate font-medium">
          GPU {gpu.index}: {gpu.name}
        </span>
        <span className="whitespace-nowrap text-muted">
          {heat} · {power}
        </span>
      </div>
      <Meter label="Use" share={gpu.utilization} words={percent(gpu.utilization)} />
      <Meter label="Memory" share={share} words={`${bytes(used)} of ${bytes(total)}`} />
    </section>
  );
}
