import { useQuery } from "@tanstack/react-query";
import { integer } from "../lib/format";
import { useDebounced } from "../lib/hooks";
import { recordQuery } from "./api";
import type { Draft } from "./draft";

interface RecordPickerProps {
  draft: Draft;
  onChange: (record: Draft["record"]) => void;
}

/** One of a run's training records, as its student is asked it. */
export function RecordPicker({ draft, onChange }: RecordPickerProps) {
  const runs = [...new Set(draft.columns.map((one) => one.run_id).filter(Boolean))] as string[];
  const run = runs.includes(draft.record.run_id) ? draft.record.run_id : (runs[0] ?? "");
  const index = useDebounced(draft.record.index, 250);
  const preview = useQuery({ ...recordQuery(run, index), enabled: run !== "" });
  if (run === "") {
    return <p className="text-muted">Choose a run in a column: the record is one of its data.</p>;
  }
  if (run !== draft.record.run_id) onChange({ ...draft.record, run_id: run });
  const example = preview.data?.example;
  const student = example?.views.find((view) => view.role === "student");
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-3">
        <label className="flex items-center gap-2">
          <span className="text-muted text-sm">Record, from 0</span>
          <input
            type="number"
            min={0}
            max={example ? example.records - 1 : 10_000_000}
            value={draft.record.index}
            onChange={(event) =>
              onChange({ run_id: run, index: Math.max(0, event.target.valueAsNumber || 0) })
            }
            className="control w-28"
          />
        </label>
        {runs.length > 1 && (
          <select
            aria-label="Run whose data it is"
            value={run}
            onChange={(event) => onChange({ ...draft.record, run_id: event.target.value })}
            className="control"
          >
            {runs.map((id) => (
              <option key={id} value={id}>
                Data of run {id}
              </option>
            ))}
          </select>
        )}
        {example && (
          <span className="text-faint text-sm tabular-nums">
            of {integer(example.records)}, line {integer(example.line)}, views:{" "}
            {example.views
              .map((view) => (view.role === "auxiliary" ? `auxiliary ${view.number}` : view.role))
              .join(", ")}
          </span>
        )}
      </div>
      {preview.data?.problem && (
        <p role="alert" className="text-bad">
          {preview.data.problem}
        </p>
      )}
      {student && (
        <pre
          tabIndex={0}
          className="max-h-40 overflow-auto whitespace-pre-wrap break-words rounded-control bg-sunken p-2 font-mono text-sm"
        >
          {student.text}
        </pre>
      )}
    </div>
  );
}
