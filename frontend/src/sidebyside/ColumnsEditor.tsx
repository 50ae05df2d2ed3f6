import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { runsQuery } from "../api/queries";
import { exportOptionsQuery } from "../artifacts/queries";
import { Button, IconButton } from "../components/ui";
import type { ColumnWanted, Role } from "./api";
import { type Draft, plain } from "./draft";

const MOST = 6;
const RUNS = 200;
const VIEWS: readonly (readonly [Role, string])[] = [
  ["student", "Plain prompt"],
  ["primary", "Primary teacher's view"],
  ["auxiliary", "Auxiliary teacher's view"],
  ["negative", "Negative teacher's view"],
];
const WEIGHTS = [
  ["base", "Base model"],
  ["adapter", "Adapter"],
  ["ema_adapter", "EMA teacher"],
] as const;

interface ColumnsEditorProps {
  draft: Draft;
  onChange: (columns: ColumnWanted[]) => void;
}

/** Whose answers stand side by side. */
export function ColumnsEditor({ draft, onChange }: ColumnsEditorProps) {
  const { columns } = draft;
  const runs = useQuery(runsQuery({ limit: RUNS }));
  const known = (runs.data?.items ?? []).filter((run) => run.kind === "training");
  const named = new Set(known.map((run) => run.id));
  const others = [...new Set(columns.map((one) => one.run_id))].filter(
    (id): id is string => Boolean(id) && !named.has(id ?? ""),
  );
  const options = [
    ...known.map((run) => ({ id: run.id, name: run.name })),
    ...others.map((id) => ({ id, name: `run ${id}` })),
  ];
  const set = (place: number, part: Partial<ColumnWanted>) =>
    onChange(columns.map((one, i) => (i === place ? { ...one, ...part } : one)));
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 text-muted text-sm">Columns</legend>
      <ol className="flex flex-col gap-2">
        {columns.map((column, place) => (
          <Row
            key={place}
            place={place}
            column={column}
            runs={options}
            typed={draft.ask === "prompt"}
            asked={draft.ask === "question"}
            alone={columns.length === 1}
            onChange={(part) => set(place, part)}
            onRemove={() => onChange(columns.filter((_, i) => i !== place))}
          />
        ))}
      </ol>
      {columns.length < MOST && (
        <Button
          small
          className="mt-2"
          onClick={() => onChange([...columns, plain(columns.at(-1)?.run_id ?? null, "adapter")])}
        >
          <Plus aria-hidden="true" className="size-3.5" />
          Add a column
        </Button>
      )}
    </fieldset>
  );
}

interface RowProps {
  place: number;
  column: ColumnWanted;
  runs: readonly { id: string; name: string }[];
  typed: boolean;
  asked: boolean;
  alone: boolean;
  onChange: (part: Partial<ColumnWanted>) => void;
  onRemove: () => void;
}

function Row({ place, column, runs, typed, asked, alone, onChange, onRemove }: RowProps) {
  const name = `Column ${place + 1}`;
  const run = column.run_id ?? "";
  const views = VIEWS.filter(
    ([view]) => view === "student" || (!asked && (view === "primary" || !typed)),
  );
  return (
    <li className="flex flex-wrap items-center gap-2">
      <span className="w-5 text-right text-faint text-sm tabular-nums" aria-hidden="true">
        {place + 1}
      </span>
      <select
        aria-label={`${name}: run`}
        value={run}
        onChange={(event) =>
          onChange(
            event.target.value
              ? { run_id: event.target.value, checkpoint: null }
              : plain(null, "base"),
          )
        }
        className="control w-60 max-w-full"
      >
        <option value="">No run: the base model</option>
        {runs.map((one) => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
      {run && (
        <>
          <select
            aria-label={`${name}: weights`}
            value={column.weights}
            onChange={(event) => {
              const weights = WEIGHTS.find(([value]) => value === event.target.value)?.[0];
              if (weights) onChange({ weights, checkpoint: null });
            }}
            className="control"
          >
            {WEIGHTS.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          {column.weights !== "base" && (
            <Checkpoint name={name} runId={run} column={column} onChange={onChange} />
          )}
          <select
            aria-label={`${name}: prompt`}
            value={column.view}
            onChange={(event) => {
              const view = VIEWS.find(([value]) => value === event.target.value)?.[0];
              if (view) onChange({ view });
            }}
            className="control"
          >
            {views.map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
          {column.view === "auxiliary" && (
            <input
              type="number"
              aria-label={`${name}: which auxiliary teacher`}
              min={1}
              max={64}
              value={column.view_number}
              onChange={(event) => onChange({ view_number: Number(event.target.value) || 1 })}
              className="control w-16"
            />
          )}
        </>
      )}
      <IconButton label={`Remove column ${place + 1}`} disabled={alone} onClick={onRemove}>
        <X aria-hidden="true" className="size-3.5" />
      </IconButton>
    </li>
  );
}

interface CheckpointProps {
  name: string;
  runId: string;
  column: ColumnWanted;
  onChange: (part: Partial<ColumnWanted>) => void;
}

function Checkpoint({ name, runId, column, onChange }: CheckpointProps) {
  const options = useQuery(exportOptionsQuery(runId));
  const steps = options.data?.checkpoints.map((one) => one.step) ?? [];
  if (column.checkpoint && !steps.includes(column.checkpoint)) steps.push(column.checkpoint);
  if (steps.length === 0) return null;
  return (
    <select
      aria-label={`${name}: checkpoint`}
      value={column.checkpoint ?? ""}
      onChange={(event) => onChange({ checkpoint: Number(event.target.value) || null })}
      className="control"
    >
      <option value="">At its end</option>
      {steps.map((step) => (
        <option key={step} value={step}>
          Step {step}
        </option>
      ))}
    </select>
  );
}
