import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";
import type { Worker } from "../api/types";
import { Inline } from "../components/Inline";
import { Notice } from "../components/states";
import { Time } from "../components/Time";
import { duration, epochIso, plural } from "../lib/format";
import type { Span } from "../searches";
import { modeAdvice, silenceAdvice } from "./advice";
import { ModeActions } from "./ModeActions";
import { Usage } from "./Usage";

const STATES: Record<Worker["status"], { words: string; chip: string; dot: string }> = {
  busy: { words: "Busy", chip: "bg-live-soft text-live", dot: "bg-live" },
  idle: { words: "Idle", chip: "bg-ok-soft text-ok", dot: "bg-ok" },
  stale: { words: "Not heard of", chip: "bg-warn-soft text-warn", dot: "bg-warn" },
  lost: { words: "Lost", chip: "bg-bad-soft text-bad", dot: "bg-bad rotate-45 rounded-[1px]!" },
  gone: { words: "Signed off", chip: "bg-idle-soft text-idle", dot: "border border-idle" },
};

const MODES: Record<Worker["mode"], { words: string; chip: string } | null> = {
  active: null,
  draining: { words: "Draining", chip: "bg-warn-soft text-warn" },
  quarantined: { words: "Quarantined", chip: "bg-bad-soft text-bad" },
};

const CHIP = "inline-flex h-[22px] items-center gap-1.5 rounded-full px-2 font-medium text-xs";

const LINK =
  "text-accent-text underline decoration-line-strong underline-offset-2 hover:decoration-current";

interface WorkerCardProps {
  worker: Worker;
  span: Span;
  /** The one that a link leads to: it comes into view and has the focus. */
  meant: boolean;
}

export function WorkerCard({ worker, span, meant }: WorkerCardProps) {
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (!meant) return;
    card.current?.scrollIntoView({ block: "nearest" });
    card.current?.focus({ preventScroll: true });
  }, [meant]);
  const state = STATES[worker.status];
  const mode = MODES[worker.mode];
  const alive = worker.status === "busy" || worker.status === "idle";
  return (
    <li
      ref={card}
      tabIndex={-1}
      aria-label={worker.name}
      aria-current={meant || undefined}
      className="panel mb-3 break-inside-avoid overflow-hidden outline-none aria-[current=true]:border-accent"
      data-testid={`worker-${worker.name}`}
    >
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1.5 border-line border-b px-4 py-3">
        <h2 className="min-w-0 break-words font-semibold">{worker.name}</h2>
        <span className={`${CHIP} ${state.chip}`}>
          <span aria-hidden="true" className={`size-1.5 rounded-full ${state.dot}`} />
          {state.words}
        </span>
        {mode && (
          <span data-testid="worker-mode" className={`${CHIP} ${mode.chip}`}>
            {mode.words}
          </span>
        )}
        <span className="ml-auto flex flex-wrap justify-end gap-1.5">
          <ModeActions worker={worker} />
        </span>
        <p className="w-full text-muted text-sm">
          {worker.hostname}, process {worker.pid}, {worker.starts > 1 && "last "}started{" "}
          <Time iso={worker.started_at} />
          {worker.starts > 1 && ` (start no. ${worker.starts})`}
          {alive && <span className="text-faint"> · heartbeat {beat(worker.heartbeat_age)}</span>}
        </p>
      </div>
      <Concerns worker={worker} />
      <Facts worker={worker} />
      {/** What a silent host last said is no longer true. */}
      {alive && <Usage worker={worker} span={span} />}
      <p className="border-line border-t px-4 py-2 text-faint text-xs">
        {Object.entries(worker.versions)
          .map(([name, version]) => `${name} ${version}`)
          .join(" · ")}
      </p>
    </li>
  );
}

/** As the page of the queues calls them. */
const QUEUE_TITLES: Record<string, string> = { gpu: "GPU queue", interactive: "interactive queue" };

/** Tenths of a second would only flicker. */
const beat = (age: number) =>
  age < 2 ? "just now" : `${duration(Math.round(age)).replace(".0", "")} ago`;

/** What is wrong or unusual, with what to do about it. */
function Concerns({ worker }: { worker: Worker }) {
  const mode = modeAdvice(worker);
  const silence = silenceAdvice(worker);
  const problems = worker.status === "gone" ? [] : (worker.usage.problems ?? []);
  if (!mode && !silence && problems.length === 0) return null;
  return (
    <div className="flex flex-col gap-2 border-line border-b p-3">
      {silence && (
        <Notice tone="warn" title={silence.title}>
          <p className="text-muted">{silence.remedy}</p>
        </Notice>
      )}
      {mode && (
        <Notice tone="warn" title={mode.title}>
          <p className="text-muted">{mode.remedy}</p>
          <p className="text-faint text-sm">
            Set by {worker.mode_by || "someone"}
            {worker.mode_since !== null && (
              <>
                , <Time iso={epochIso(worker.mode_since)} />
              </>
            )}
          </p>
        </Notice>
      )}
      {problems.map((problem) => (
        <Notice key={problem.message} tone="warn" title={<Inline text={problem.message} />}>
          <p className="text-muted">
            <Inline text={problem.remedy} />
          </p>
        </Notice>
      ))}
    </div>
  );
}

function Facts({ worker }: { worker: Worker }) {
  const { hardware } = worker;
  return (
    <dl className="px-4 py-2.5">
      <Row label="Runs">
        {worker.run_id ? (
          <Link to="/runs/$runId" params={{ runId: worker.run_id }} className={LINK}>
            {worker.run_name ?? worker.run_id}
          </Link>
        ) : (
          <span className="text-muted">
            {worker.status === "busy" ? "answers side by side" : "nothing"}
          </span>
        )}
        {worker.run_id && worker.run_by && <span className="text-muted"> for {worker.run_by}</span>}
      </Row>
      <Row label="Waits behind">
        {worker.waiting > 0 ? (
          <Link to="/queue" className={LINK}>
            {plural(worker.waiting, "run")}
          </Link>
        ) : (
          <span className="text-muted">nothing</span>
        )}
      </Row>
      <Row label="Takes from">
        {worker.queues.map((name) => QUEUE_TITLES[name] ?? name).join(", ")}
      </Row>
      <Row label="Labels">
        {worker.labels.length === 0 && <span className="text-muted">none</span>}
        <span className="flex flex-wrap justify-end gap-1">
          {worker.labels.map((label) => (
            <span
              key={label}
              className="rounded-control border border-line bg-sunken px-1.5 font-mono text-sm"
            >
              {label}
            </span>
          ))}
        </span>
      </Row>
      <Row label="Processor">
        {hardware.cpu}, {hardware.cores} cores
      </Row>
      {hardware.driver && <Row label="NVIDIA driver">{hardware.driver}</Row>}
    </dl>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6 py-0.5">
      <dt className="shrink-0 text-muted">{label}</dt>
      <dd className="min-w-0 break-words text-right">{children}</dd>
    </div>
  );
}
