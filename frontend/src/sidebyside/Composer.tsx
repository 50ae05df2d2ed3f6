import { useNavigate } from "@tanstack/react-router";
import { Play } from "lucide-react";
import { useId, useState } from "react";
import { asApiError } from "../api/client";
import { Notice } from "../components/states";
import { Button, Segmented, Switch } from "../components/ui";
import { useCreateComparison } from "./api";
import { ColumnsEditor } from "./ColumnsEditor";
import { asBody, type Draft, showsDemonstration } from "./draft";
import { RecordPicker } from "./RecordPicker";
import { Settings } from "./Settings";

/** What is asked, of whom, and how. */
export function Composer({ start }: { start: Draft }) {
  const [draft, setDraft] = useState(start);
  const create = useCreateComparison();
  const navigate = useNavigate();
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const submit = () =>
    create.mutate(asBody(draft), {
      onSuccess: ({ id }) =>
        void navigate({ to: "/side-by-side/$comparisonId", params: { comparisonId: id } }),
    });
  const asks = [
    { value: "prompt" as const, label: "A prompt" },
    { value: "record" as const, label: "A training record" },
    ...(draft.question ? [{ value: "question" as const, label: "An evaluation's question" }] : []),
  ];
  return (
    <form
      aria-label="New comparison"
      className="panel flex flex-col gap-4 p-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          submit();
        }
      }}
    >
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Segmented
          label="What is asked"
          value={draft.ask}
          options={asks}
          onChange={(ask) => change({ ask })}
        />
        <Switch checked={draft.blind} onChange={(blind) => change({ blind })}>
          Blind: shuffle the columns, and name them after a vote
        </Switch>
      </div>
      <Asked draft={draft} onChange={change} />
      <ColumnsEditor draft={draft} onChange={(columns) => change({ columns })} />
      <Settings draft={draft} onChange={change} />
      {create.error && <Refused error={create.error} />}
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" busy={create.isPending}>
          <Play aria-hidden="true" className="size-4" />
          Generate
        </Button>
        <span className="text-faint text-sm">
          Ctrl Enter. The same seed and prompt for all columns.
        </span>
      </div>
    </form>
  );
}

function Refused({ error }: { error: unknown }) {
  const problem = asApiError(error);
  return (
    <Notice tone="bad" title={problem.message}>
      {problem.errors.length > 1
        ? problem.errors.map((one) => (
            <p key={`${one.field}${one.message}`} className="text-muted">
              {one.message} {one.remedy}
            </p>
          ))
        : problem.remedy && <p className="text-muted">{problem.remedy}</p>}
    </Notice>
  );
}

interface AskedProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

function Asked({ draft, onChange }: AskedProps) {
  if (draft.ask === "record") {
    return <RecordPicker draft={draft} onChange={(record) => onChange({ record })} />;
  }
  if (draft.ask === "question") {
    return (
      <p className="text-muted">
        Question {draft.question?.index} of the evaluation, asked exactly as it was there.
      </p>
    );
  }
  return (
    <div className="grid gap-3 lg:grid-cols-3">
      <Area
        label="Prompt"
        value={draft.prompt}
        rows={5}
        className={showsDemonstration(draft) ? "" : "lg:col-span-2"}
        required
        onChange={(prompt) => onChange({ prompt })}
      />
      {showsDemonstration(draft) && (
        <Area
          label="Demonstration that the primary teacher sees"
          value={draft.demonstration}
          rows={5}
          onChange={(demonstration) => onChange({ demonstration })}
        />
      )}
      <Area
        label="System prompt (optional)"
        value={draft.systemPrompt}
        rows={5}
        onChange={(systemPrompt) => onChange({ systemPrompt })}
      />
    </div>
  );
}

interface AreaProps {
  label: string;
  value: string;
  rows: number;
  className?: string;
  required?: boolean;
  onChange: (value: string) => void;
}

function Area({ label, value, rows, className, required = false, onChange }: AreaProps) {
  const id = useId();
  return (
    <div className={`flex min-w-0 flex-col gap-1 ${className ?? ""}`}>
      <label htmlFor={id} className="text-muted text-sm">
        {label}
      </label>
      <textarea
        id={id}
        value={value}
        rows={rows}
        required={required}
        onChange={(event) => onChange(event.target.value)}
        className="control h-auto! w-full resize-y py-1.5 leading-5"
      />
    </div>
  );
}
