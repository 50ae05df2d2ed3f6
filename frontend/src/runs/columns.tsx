import { Link } from "@tanstack/react-router";
import type { ColumnDef } from "@tanstack/react-table";
import { isActive, type Project, type RunSummary } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { StatusChip } from "../components/StatusChip";
import { Time } from "../components/Time";
import { Bar } from "../components/ui";
import { baseName, duration, eta, integer, number, UNKNOWN } from "../lib/format";
import { RowActions } from "./RowActions";

type RunColumn = ColumnDef<RunSummary>;

export function runColumns(projects: Project[] | undefined): RunColumn[] {
  const named = projects && projects.length > 1 ? projects : undefined;
  return [
    {
      accessorKey: "name",
      header: "Name",
      cell: ({ row }) => <Name run={row.original} projects={named} />,
      meta: { className: "max-w-40 lg:max-w-56" },
    },
    { accessorKey: "status", header: "State", cell: ({ row }) => <State run={row.original} /> },
    {
      accessorKey: "model",
      header: "Model and data",
      enableSorting: false,
      cell: ({ row }) => (
        <div className="flex flex-col">
          <Short path={row.original.model} />
          <Short path={row.original.data} faint />
        </div>
      ),
      meta: { className: "hidden xl:table-cell max-w-48" },
    },
    {
      id: "progress",
      header: "Progress",
      cell: ({ row }) => <ProgressCell run={row.original} />,
    },
    {
      accessorKey: "last_loss",
      header: "Loss",
      cell: ({ row }) => <Loss run={row.original} />,
      sortDescFirst: false,
      meta: { className: "text-right" },
    },
    {
      accessorKey: "worker",
      header: "Worker",
      enableSorting: false,
      cell: ({ row }) => (
        <span className="block truncate text-muted">{row.original.worker ?? UNKNOWN}</span>
      ),
      meta: { className: "hidden lg:table-cell max-w-28" },
    },
    {
      accessorKey: "duration_seconds",
      header: "Duration",
      enableSorting: false,
      cell: ({ row }) => (
        <span className="whitespace-nowrap tabular-nums">
          {duration(row.original.duration_seconds)}
        </span>
      ),
      meta: { className: "hidden lg:table-cell text-right" },
    },
    {
      accessorKey: "created_at",
      header: "Created",
      cell: ({ row }) => (
        <span className="whitespace-nowrap text-muted tabular-nums">
          <Time iso={row.original.created_at} />
        </span>
      ),
      sortDescFirst: true,
      meta: { className: "text-right" },
    },
    {
      id: "actions",
      header: () => <span className="sr-only">Actions</span>,
      cell: ({ row }) => <RowActions run={row.original} />,
      meta: { className: "w-px text-right" },
    },
  ];
}

function Name({ run, projects }: { run: RunSummary; projects: Project[] | undefined }) {
  const project = projects?.find((item) => item.id === run.project_id);
  return (
    <div className="flex min-w-0 flex-col">
      <Link
        to="/runs/$runId"
        params={{ runId: run.id }}
        data-run-link
        title={run.name}
        className="truncate font-medium hover:text-accent-text"
      >
        {run.name}
      </Link>
      {project && <span className="truncate text-faint text-xs">{project.name}</span>}
      {!project && (
        <span className="truncate text-faint text-xs xl:hidden">{baseName(run.model)}</span>
      )}
    </div>
  );
}

function State({ run }: { run: RunSummary }) {
  const phase = run.phase && run.phase !== "training" && isActive(run.status) ? run.phase : null;
  return (
    <span className="inline-flex items-center gap-2">
      <StatusChip status={run.status} />
      {phase && <span className="hidden text-faint text-xs lg:inline">{phase}</span>}
      {run.problem && <span className="sr-only">{run.problem.message}</span>}
    </span>
  );
}

function Short({ path, faint = false }: { path: string; faint?: boolean }) {
  return (
    <span className={`truncate ${faint ? "text-faint text-xs" : ""}`} title={path}>
      {baseName(path)}
    </span>
  );
}

function ProgressCell({ run }: { run: RunSummary }) {
  const { step, total_steps: total, eta_seconds: left } = run.progress;
  if (total === null) return <span className="text-faint">{UNKNOWN}</span>;
  return (
    <div className="flex w-32 flex-col gap-1 tabular-nums">
      <div className="flex justify-between gap-2 text-sm">
        <span className="whitespace-nowrap">
          {integer(step)} <span className="text-faint">/ {integer(total)}</span>
        </span>
        {run.status === "running" && (
          <span className="whitespace-nowrap text-faint">{eta(left)}</span>
        )}
      </div>
      <Bar
        share={step / total}
        label={`Steps of ${run.name}`}
        tone={BAR_TONES[run.status] ?? "bg-line-strong"}
      />
    </div>
  );
}

const BAR_TONES: Partial<Record<RunSummary["status"], string>> = {
  running: "bg-live",
  starting: "bg-live",
  stopping: "bg-warn",
  failed: "bg-bad",
  crashed: "bg-bad",
};

function Loss({ run }: { run: RunSummary }) {
  return (
    <div className="flex items-center justify-end gap-3 tabular-nums">
      <span className="hidden lg:block">
        <Sparkline values={run.sparkline} label={`Loss of ${run.name} over its steps`} />
      </span>
      <span className="w-14">{number(run.last_loss)}</span>
    </div>
  );
}
