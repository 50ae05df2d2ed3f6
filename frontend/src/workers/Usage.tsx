import { useQuery } from "@tanstack/react-query";
import { samplesQuery } from "../api/steering";
import type { Sample, Worker } from "../api/types";
import { bytes, percent } from "../lib/format";
import { useNow } from "../lib/hooks";
import type { Span } from "../searches";
import { GpuUsage } from "./GpuUsage";
import { SPAN_SECONDS, series } from "./past";
import { SHARE, TimeAxis, Trace } from "./Trace";

interface UsageProps {
  worker: Worker;
  span: Span;
}

/** What the host does now, and did in the last hour or day. */
export function Usage({ worker, span }: UsageProps) {
  const { hardware, usage } = worker;
  const { data } = useQuery(samplesQuery(worker.id, SPAN_SECONDS[span]));
  const now = useNow(15_000) / 1000;
  const past = (pick: (sample: Sample) => number | null | undefined) =>
    data ? series(data.items, span, now, pick) : null;
  const total = hardware.memory_total;
  return (
    <div className="flex flex-col gap-1.5 border-line border-t px-4 py-3">
      <TimeAxis span={span} />
      <Trace
        label="CPU"
        values={past((sample) => sample.cpu)}
        range={SHARE}
        now={percent(usage.cpu)}
        words={percent}
        span={span}
      />
      <Trace
        label="Memory"
        values={past((sample) => (total ? sample.memory_used / total : null))}
        range={SHARE}
        now={`${bytes(usage.memory_used)} of ${bytes(total)}`}
        words={percent}
        span={span}
      />
      <div className="flex justify-between text-sm">
        <span className="text-muted">Disk free</span>
        <span className="tabular-nums">{bytes(usage.disk_free)}</span>
      </div>
      {usage.gpus.map((gpu) => (
        <GpuUsage key={gpu.index} gpu={gpu} samples={data?.items} span={span} now={now} />
      ))}
      {usage.gpus.length === 0 && (
        <p className="text-faint text-sm">No GPU on this host: runs train on its processor.</p>
      )}
    </div>
  );
}
