import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { isActive, type RunSummary } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { StatusChip } from "../components/StatusChip";
import { Time } from "../components/Time";
import { Bar } from "../components/ui";
import { baseName, duration, eta, integer, number, setting, UNKNOWN } from "../lib/format";
import { runColour } from "../lib/runColour";
import { isMetric, isParam, metricOf, paramPath } from "./fields";

/** What a column shows of a run. */
export function cell(id: string, run: RunSummary): ReactNode {
  if (isMetric(id)) return <Metric run={run} id={id} />;
  if (isParam(id)) return <Param value={run.params[paramPath(id)]} />;
  return CELLS[id]?.(run) ?? null;
}

const CELLS: Record<string, (run: RunSummary) => ReactNode> = {
  name: (run) => <Name run={run} />,
  status: (run) => <State run={run} />,
  progress: (run) => <Steps run={run} />,
  last_loss: (run) => <Loss run={run} />,
  method: (run) => <Text value={run.method} />,
  mechanism: (run) => <Text value={run.mechanisms.join(", ")} />,
  model: (run) => <Text value={run.model} short />,
  data: (run) => <Text value={run.data} short />,
  seed: (run) => run.seed ?? UNKNOWN,
  tag: (run) => <TagList tags={run.tags} />,
  study: (run) => <Text value={run.study} />,
  worker: (run) => <Text value={run.worker} />,
  project: (run) => <Text value={run.project} />,
  kind: (run) => <Text value={run.kind === "evaluation" ? "Evaluation" : "Training"} />,
  duration: (run) => duration(run.duration_seconds),
  created_at: (run) => <When iso={run.created_at} />,
  started_at: (run) => <When iso={run.started_at} />,
  finished_at: (run) => <When iso={run.finished_at} />,
  step: (run) => integer(run.progress.step),
  attempt: (run) => integer(run.attempt),
  priority: (run) => integer(run.priority),
};

function Name({ run }: { run: RunSummary }) {
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span
        aria-hidden="true"
        className="size-2 shrink-0 rounded-full"
        style={{ background: runColour(run.id) }}
      />
      <Link
        to="/runs/$runId"
        params={{ runId: run.id }}
        tabIndex={-1}
        title={run.name}
        className="truncate font-medium hover:text-accent-text"
      >
        {run.name}
      </Link>
    </span>
  );
}

function State({ run }: { run: RunSummary }) {
  const phase = run.phase && run.phase !== "training" && isActive(run.status) ? run.phase : null;
  return (
    <span className="flex min-w-0 items-center gap-1.5" title={run.problem?.message}>
      <StatusChip status={run.status} />
      {phase && (
        <span className="truncate text-faint text-xs" title={run.phase_detail || phase}>
          {phase}
        </span>
      )}
      {run.problem && <span className="sr-only">{run.problem.message}</span>}
    </span>
  );
}

const BAR_TONES: Partial<Record<RunSummary["status"], string>> = {
  running: "bg-live",
  starting: "bg-live",
  stopping: "bg-warn",
  failed: "bg-bad",
  crashed: "bg-bad",
};

function Steps({ run }: { run: RunSummary }) {
  const { step, total_steps: total, eta_seconds: left } = run.progress;
  if (total === null) return <span className="text-faint">{UNKNOWN}</span>;
  return (
    <span className="flex flex-col gap-0.5 tabular-nums">
      <span className="flex justify-between gap-2 text-xs">
        <span className="whitespace-nowrap">
          {integer(step)} <span className="text-faint">/ {integer(total)}</span>
        </span>
        {run.status === "running" && (
          <span className="truncate whitespace-nowrap text-faint">{eta(left)}</span>
        )}
      </span>
      <Bar
        share={step / total}
        label={`Steps of ${run.name}`}
        tone={BAR_TONES[run.status] ?? "bg-line-strong"}
      />
    </span>
  );
}

function Loss({ run }: { run: RunSummary }) {
  return (
    <span className="flex items-center justify-end gap-2">
      <Sparkline values={run.sparkline} label={`Loss of ${run.name} over its steps`} />
      <span className="w-14">{number(run.last_loss)}</span>
    </span>
  );
}

function Metric({ run, id }: { run: RunSummary; id: string }) {
  const { path, which } = metricOf(id);
  const found = run.metrics[path];
  if (!found) return <span className="text-faint">{UNKNOWN}</span>;
  if (which === "last" && found.non_finite) {
    return <span className="text-bad">{found.non_finite}</span>;
  }
  return number(found[which]);
}

function Param({ value }: { value: unknown }) {
  if (value === null || value === undefined) return <span className="text-faint">{UNKNOWN}</span>;
  if (typeof value === "number") {
    // 7 × 1e-5 is 7e-5, whatever the machine's last digit says.
    const short = Number.isInteger(value) ? value : Number(value.toPrecision(8));
    return <span title={setting(value)}>{setting(short)}</span>;
  }
  if (typeof value === "boolean") return value ? "on" : "off";
  return <Text value={typeof value === "string" ? value : JSON.stringify(value)} />;
}

function Text({ value, short = false }: { value: string | null; short?: boolean }) {
  if (!value) return <span className="text-faint">{UNKNOWN}</span>;
  return (
    <span className="block truncate" title={value}>
      {short ? baseName(value) : value}
    </span>
  );
}

export function TagList({ tags }: { tags: readonly string[] }) {
  return (
    <span className="flex min-w-0 gap-1 overflow-hidden" title={tags.join(", ")}>
      {tags.map((tag) => (
        <span
          key={tag}
          className="max-w-24 shrink-0 truncate rounded-full bg-sunken px-1.5 text-muted text-xs leading-5"
        >
          {tag}
        </span>
      ))}
    </span>
  );
}

function When({ iso }: { iso: string | null }) {
  return (
    <span className="whitespace-nowrap text-muted">
      <Time iso={iso} />
    </span>
  );
}
