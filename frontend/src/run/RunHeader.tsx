import type { ReactNode } from "react";
import { isActive, type RunDetail } from "../api/types";
import { StatusChip } from "../components/StatusChip";
import { ProblemNotice } from "../components/states";
import { Time } from "../components/Time";
import { Bar } from "../components/ui";
import { duration, eta, integer, number, UNKNOWN } from "../lib/format";
import { useNow } from "../lib/hooks";
import type { Snapshot } from "../live/store";
import { AlarmCount } from "./Alarms";
import { ContactNotice } from "./ContactNotice";
import { Waiting } from "./Waiting";

/** Steps from whichever is further: the answer about the run, or the stream. */
function steps(run: RunDetail, live: Snapshot): { step: number; total: number | null } {
  const current = live.attempt === run.attempt;
  const step =
    current && live.step !== null ? Math.max(live.step, run.progress.step) : run.progress.step;
  return { step, total: run.progress.total_steps ?? (current ? live.totalSteps : null) };
}

export function RunHeader({ run, live }: { run: RunDetail; live: Snapshot }) {
  const now = useNow(1000);
  const { step, total } = steps(run, live);
  const elapsed =
    run.started_at && isActive(run.status)
      ? (now - Date.parse(run.started_at)) / 1000
      : run.duration_seconds;
  // An evaluation has no steps and no loss; its phase tells how far it is.
  const trains = run.kind === "training";
  const loss = live.curves["train/loss"]?.values.at(-1) ?? run.last_loss;
  return (
    <div className="flex flex-col gap-4 bg-surface px-4 pt-4 pb-3 md:px-6">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
        <h1 className="min-w-0 break-words font-semibold text-xl">{run.name}</h1>
        <StatusChip status={run.status} testId="run-status" />
        <Phase run={run} />
        <Connection live={live} run={run} />
      </div>
      <ContactNotice run={run} />
      {run.problem && <ProblemNotice problem={run.problem} />}
      <div className="flex flex-wrap items-end gap-x-8 gap-y-3">
        {trains && (
          <Fact label="Progress" className="w-56">
            <div data-testid="run-progress" className="flex items-center gap-3">
              <span className="whitespace-nowrap">
                {integer(step)}
                <span className="text-faint"> / {integer(total)} steps</span>
              </span>
              <Bar
                share={total ? step / total : null}
                label="Steps done"
                className="flex-1"
                tone={tone(run)}
              />
            </div>
          </Fact>
        )}
        {trains && run.status === "running" && (
          <Fact label="Time left">{eta(run.progress.eta_seconds)}</Fact>
        )}
        <Fact label="Elapsed">{duration(elapsed)}</Fact>
        {trains && <Fact label="Loss">{number(loss)}</Fact>}
        {run.alarm_count > 0 && (
          <Fact label="Alarms">
            <AlarmCount run={run} />
          </Fact>
        )}
        <Fact label="Worker">
          <span className="normal-nums">{run.worker ?? UNKNOWN}</span>
        </Fact>
        <Fact label="Attempt">
          {run.attempt === 0 ? UNKNOWN : `${run.attempt} of ${run.max_attempts}`}
        </Fact>
        <Fact label={run.finished_at ? "Ended" : "Created"}>
          <Time iso={run.finished_at ?? run.created_at} />
        </Fact>
      </div>
    </div>
  );
}

function tone(run: RunDetail): string {
  if (run.status === "failed" || run.status === "crashed") return "bg-bad";
  if (run.status === "succeeded") return "bg-ok";
  return isActive(run.status) ? "bg-live" : "bg-faint";
}

interface FactProps {
  label: string;
  children: ReactNode;
  className?: string;
}

function Fact({ label, children, className }: FactProps) {
  return (
    <div className={className}>
      <div className="eyebrow">{label}</div>
      <div className="whitespace-nowrap tabular-nums">{children}</div>
    </div>
  );
}

function Phase({ run }: { run: RunDetail }) {
  if (!isActive(run.status)) return null;
  if (run.status === "queued") return <Waiting run={run} />;
  if (!run.phase) return null;
  const { phase_current: current, phase_total: total } = run.progress;
  return (
    <span className="flex min-w-0 items-center gap-2 text-muted">
      <span>{run.phase}</span>
      {run.phase_detail && run.phase_detail.toLowerCase() !== run.phase && (
        <span className="truncate text-faint">{run.phase_detail}</span>
      )}
      {total !== null && run.phase !== "training" && (
        <>
          <Bar
            share={total ? (current ?? 0) / total : null}
            label={`Phase ${run.phase}`}
            className="w-20"
          />
          <span className="whitespace-nowrap text-faint text-sm">
            {integer(current)} / {integer(total)}
          </span>
        </>
      )}
    </span>
  );
}

function Connection({ live, run }: { live: Snapshot; run: RunDetail }) {
  if (!isActive(run.status) || live.connection !== "reconnecting") return null;
  return (
    <span role="status" className="ml-auto text-sm text-warn">
      Not connected, trying again … Nothing is missed.
    </span>
  );
}
