import { Link } from "@tanstack/react-router";
import type { Preflight, WorkerFit } from "../../api/types";
import { bytes, duration, integer, plural, UNKNOWN } from "../../lib/format";
import { MemoryBar } from "./MemoryBar";
import { Chip, Part } from "./Part";
import { VERDICTS } from "./words";

/** Room, time and disk at each worker that is connected. */
export function WorkersPart({ found }: { found: Preflight }) {
  const { disk, sequences, steps, workers } = found;
  const length = steps === null ? "steps not known yet" : plural(steps, "step");
  return (
    <Part
      id="workers"
      title="Workers"
      said={`${length} of ${plural(sequences, "sequence")}${disk ? `; up to ${bytes(disk.total)} on disk (adapters ${bytes(disk.adapters)}, checkpoints ${bytes(disk.checkpoints)})` : ""}`}
    >
      {workers.length === 0 ? (
        <p className="text-sm">
          No worker is connected: the run will wait.{" "}
          <Link to="/workers" className="underline underline-offset-2">
            Workers
          </Link>
        </p>
      ) : (
        <ul className="flex flex-col divide-y divide-line rounded-control border border-line">
          {workers.map((worker) => (
            <WorkerRow key={worker.id} worker={worker} />
          ))}
        </ul>
      )}
    </Part>
  );
}

function WorkerRow({ worker }: { worker: WorkerFit }) {
  const look = VERDICTS[worker.verdict];
  return (
    <li
      data-testid={`fit-${worker.name}`}
      className="grid gap-x-6 gap-y-2 px-3 py-2.5 text-sm sm:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]"
    >
      <div className="min-w-0">
        <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <span className="min-w-0 truncate font-medium">{worker.name}</span>
          <Chip tone={look.tone}>{look.word}</Chip>
          {worker.mode !== "active" && <span className="text-warn">{worker.mode}</span>}
        </p>
        <p className="truncate text-muted" title={worker.device}>
          {worker.device}
        </p>
        {worker.reason && <p className="text-pretty">{worker.reason}</p>}
        <p className="text-muted">
          <Time worker={worker} />
        </p>
        <p className="text-muted">
          {bytes(worker.disk_free)} free on disk
          {worker.disk_verdict === "tight" && <span className="text-warn">: tight</span>}
          {worker.disk_verdict === "will_not" && <span className="text-bad">: too little</span>}
        </p>
      </div>
      <MemoryBar worker={worker} />
    </li>
  );
}

function Time({ worker }: { worker: WorkerFit }) {
  if (worker.seconds_per_step === null) return worker.time_note || `Time: ${UNKNOWN}`;
  return (
    <>
      <strong className="font-medium text-ink">
        {worker.seconds === null ? "" : `About ${duration(worker.seconds)}, `}
        {duration(worker.seconds_per_step)} a step.
      </strong>{" "}
      {worker.time_note || `From ${integer(worker.measured_runs)} runs.`}
    </>
  );
}
