import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ComparedColumn, RunComparison } from "../api/types";
import { StatusChip } from "../components/StatusChip";
import { IconButton, Switch } from "../components/ui";
import { integer, plural } from "../lib/format";
import { type RunStyle, runStyles } from "../lib/runColour";
import type { CompareSearch } from "../searches";
import type { OnSearch } from "./ComparePage";
import { without } from "./selection";

interface RunBarProps {
  comparison: RunComparison;
  search: CompareSearch;
  onSearch: OnSearch;
}

export const columnStyles = (columns: readonly ComparedColumn[]): Record<string, RunStyle> =>
  runStyles(columns.map((column) => column.key));

/** The compared runs: which is the baseline, which go. */
export function RunBar({ comparison, search, onSearch }: RunBarProps) {
  const { columns } = comparison;
  const styles = columnStyles(columns);
  const apart = search.seeds === "apart";
  const grouped = columns.some((column) => column.runs.length > 1);
  return (
    <section aria-label="Compared runs" className="flex flex-col gap-2">
      <fieldset className="min-w-0">
        <legend className="sr-only">Baseline</legend>
        <ul className="panel divide-y divide-line">
          {columns.map((column) => (
            <Row
              key={column.key}
              column={column}
              style={styles[column.key]}
              alone={columns.length === 1}
              onBaseline={() => onSearch({ baseline: column.runs[0]?.id })}
              onRemove={() => onSearch(without(search, idsIn(column)), true)}
            />
          ))}
        </ul>
      </fieldset>
      {(grouped || apart) && (
        <div className="flex flex-wrap items-center gap-3 print:hidden">
          <Switch checked={!apart} onChange={(on) => onSearch({ seeds: on ? undefined : "apart" })}>
            Take seeds together
          </Switch>
          <span className="text-faint text-sm">
            Runs that differ only in their seed become their mean.
          </span>
        </div>
      )}
    </section>
  );
}

const idsIn = (column: ComparedColumn): string[] => column.runs.map((run) => run.id);

interface RowProps {
  column: ComparedColumn;
  style: RunStyle | undefined;
  alone: boolean;
  onBaseline: () => void;
  onRemove: () => void;
}

function Row({ column, style, alone, onBaseline, onRemove }: RowProps) {
  return (
    <li
      data-testid="compared-run"
      className="flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 px-3 py-1.5"
    >
      <Swatch style={style} />
      <span className="min-w-0 max-w-full truncate font-medium" title={column.label}>
        <ColumnName column={column} />
      </span>
      <Runs column={column} />
      <span className="ml-auto flex items-center gap-3">
        <label className="inline-flex cursor-pointer items-center gap-1.5 text-sm">
          <input
            type="radio"
            name="baseline"
            checked={column.baseline}
            onChange={onBaseline}
            aria-label={`${column.label} as baseline`}
            className="accent-(--accent)"
          />
          <span className={column.baseline ? "font-medium" : "text-muted"}>Baseline</span>
        </label>
        <IconButton
          label={`Remove ${column.label}`}
          disabled={alone}
          onClick={onRemove}
          className="print:hidden"
        >
          <X aria-hidden="true" className="size-3.5" />
        </IconButton>
      </span>
    </li>
  );
}

function ColumnName({ column }: { column: ComparedColumn }) {
  const [run, second] = column.runs;
  if (!run || second) return column.label;
  return (
    <Link to="/runs/$runId" params={{ runId: run.id }} className="hover:text-accent-text">
      {column.label}
    </Link>
  );
}

/** State and step of one run; of several each seed leads to its run. */
function Runs({ column }: { column: ComparedColumn }) {
  const { runs } = column;
  const [run] = runs;
  if (!run) return null;
  if (runs.length === 1) {
    return (
      <span className="flex items-center gap-3 text-sm">
        <StatusChip status={run.status} still />
        <span className="whitespace-nowrap text-faint tabular-nums">
          {run.kind === "evaluation" ? "evaluation" : `step ${integer(run.step)}`} · seed {run.seed}
        </span>
      </span>
    );
  }
  const open = runs.filter((one) => one.status !== "succeeded");
  return (
    <span className="flex flex-wrap items-center gap-x-2 text-faint text-sm tabular-nums">
      <span>{plural(runs.length, "seed")}:</span>
      {runs.map((one) => (
        <Link
          key={one.id}
          to="/runs/$runId"
          params={{ runId: one.id }}
          title={`${one.name}, ${one.status}, step ${integer(one.step)}`}
          className="inline-flex min-h-6 min-w-6 items-center justify-center underline decoration-line-strong underline-offset-2 hover:text-accent-text"
        >
          {one.seed}
        </Link>
      ))}
      {open.length > 0 && (
        <span className="text-warn">
          {open.length} of {runs.length} have not succeeded
        </span>
      )}
    </span>
  );
}

/** A run's line as the charts draw it. */
export function Swatch({ style }: { style: RunStyle | undefined }) {
  return (
    <svg width={18} height={10} aria-hidden="true" className="shrink-0">
      <path
        d="M0 5h18"
        stroke={style?.colour}
        strokeWidth={3}
        strokeDasharray={style?.dash || undefined}
      />
    </svg>
  );
}
