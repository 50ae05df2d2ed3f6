import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import type { Gpu, Sample } from "../api/types";
import { bytes, percent, UNKNOWN } from "../lib/format";
import type { Span } from "../searches";
import { gpuOf, series, used } from "./past";
import { SHARE, Trace } from "./Trace";

interface GpuUsageProps {
  gpu: Gpu;
  samples: readonly Sample[] | undefined;
  span: Span;
  now: number;
}

const degrees = (value: number | null) => (value === null ? UNKNOWN : `${Math.round(value)} °C`);
const watts = (value: number | null) => (value === null ? UNKNOWN : `${Math.round(value)} W`);

export function GpuUsage({ gpu, samples, span, now }: GpuUsageProps) {
  const past = (pick: (gpu: Gpu | undefined) => number | null | undefined) =>
    samples ? series(samples, span, now, (sample) => pick(gpuOf(sample, gpu))) : null;
  const power = past((one) => one?.power);
  const heat = past((one) => one?.temperature);
  return (
    <section
      aria-label={`GPU ${gpu.index}`}
      className="mt-1 flex flex-col gap-1.5 rounded-control border border-line p-3"
    >
      <h3 className="truncate font-medium text-sm">
        GPU {gpu.index}: {gpu.name}
        {!gpu.mine && <span className="font-normal text-muted"> · not used by this worker</span>}
      </h3>
      <Trace
        label="Use"
        values={past((one) => one?.utilization)}
        range={SHARE}
        now={percent(gpu.utilization)}
        words={percent}
        span={span}
      />
      <Trace
        label="Memory"
        values={past(used)}
        range={SHARE}
        now={`${bytes(gpu.memory_used)} of ${bytes(gpu.memory_total)}`}
        words={percent}
        span={span}
      />
      <Trace
        label="Temperature"
        values={heat}
        range={[20, 100]}
        now={degrees(gpu.temperature)}
        words={degrees}
        span={span}
      />
      <Trace label="Power" values={power} now={watts(gpu.power)} words={watts} span={span} />
      <Processes gpu={gpu} />
    </section>
  );
}

/** Who holds the GPU's memory; what belongs to no run is flagged. */
function Processes({ gpu }: { gpu: Gpu }) {
  const processes = gpu.processes ?? [];
  if (processes.length === 0) return null;
  const strangers = processes.some((process) => !process.known);
  return (
    <div className="border-line border-t pt-1.5 text-sm">
      <ul>
        {processes.map((process) => (
          <li
            key={process.pid}
            className={`flex justify-between gap-4 ${process.known ? "text-muted" : "text-warn"}`}
          >
            <span className="min-w-0 truncate">
              {!process.known && (
                <TriangleAlert
                  aria-label="Stranger:"
                  className="mr-1 inline size-3.5 align-[-2px]"
                />
              )}
              {process.name || "process"} {process.pid}
              {process.run_id && (
                <>
                  {" · "}
                  <Link
                    to="/runs/$runId"
                    params={{ runId: process.run_id }}
                    className="underline decoration-line-strong underline-offset-2"
                  >
                    its run
                  </Link>
                </>
              )}
            </span>
            <span className="shrink-0 tabular-nums">{bytes(process.memory)}</span>
          </li>
        ))}
      </ul>
      {strangers && (
        <p className="mt-1 text-muted">
          What is flagged belongs to no run and takes memory from those that come. End it on the
          host, or quarantine the worker until it is gone.
        </p>
      )}
    </div>
  );
}
