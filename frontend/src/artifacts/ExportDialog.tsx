import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "../api/client";
import { Dialog } from "../components/Dialog";
import { Inline } from "../components/Inline";
import { Failure, Notice } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { bytes } from "../lib/format";
import { type Draft, INITIAL, neededBytes, needsWeights, toRequest, whatIsMissing } from "./draft";
import { GgufField, PromptField, SourceField, WeightsField } from "./ExportFields";
import { HubFields } from "./HubFields";
import {
  type ExportOptions,
  exportOptionsQuery,
  type KindOption,
  useCreateExport,
} from "./queries";
import { KINDS } from "./words";

/** Asks what to export; sizes and what is missing are told before. */
export function ExportDialog({ runId, onClose }: { runId: string; onClose: () => void }) {
  const options = useQuery(exportOptionsQuery(runId));
  const create = useCreateExport(runId);
  const [draft, setDraft] = useState<Draft>(INITIAL);
  const change = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const missing = whatIsMissing(draft);
  const chosen = options.data?.kinds.find((one) => one.kind === draft.kind);
  const problem = create.error ? asApiError(create.error) : null;
  const start = () => create.mutate(toRequest(draft), { onSuccess: onClose });
  return (
    <Dialog
      title="Export"
      width="w-[600px]"
      onClose={onClose}
      footer={
        <>
          {missing && <span className="mr-auto self-center text-muted text-sm">{missing}</span>}
          <Button onClick={onClose}>Close</Button>
          <Button
            variant="primary"
            disabled={!chosen?.available || missing !== null}
            busy={create.isPending}
            onClick={start}
          >
            {draft.kind === "hub" ? "Start the push" : "Start the export"}
          </Button>
        </>
      }
    >
      {options.error && <Failure error={options.error} onRetry={() => void options.refetch()} />}
      {!options.data && !options.error && <Skeleton className="h-72" />}
      {options.data && (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            if (chosen?.available && !missing && !create.isPending) start();
          }}
        >
          <Kinds options={options.data} draft={draft} onChange={change} />
          <Details options={options.data} draft={draft} onChange={change} />
          <Room options={options.data} draft={draft} />
          {problem && (
            <Notice tone="bad" title={problem.message}>
              {problem.remedy && <Inline text={problem.remedy} />}
            </Notice>
          )}
        </form>
      )}
    </Dialog>
  );
}

interface PartProps {
  options: ExportOptions;
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

function Kinds({ options, draft, onChange }: PartProps) {
  return (
    <fieldset className="flex flex-col">
      <legend className="mb-1 font-medium">What</legend>
      {options.kinds.map((one) => (
        <label
          key={one.kind}
          className={`flex items-start gap-2.5 rounded-control px-2 py-1.5 ${one.available ? "cursor-pointer hover:bg-hover" : ""}`}
        >
          <input
            type="radio"
            name="kind"
            value={one.kind}
            disabled={!one.available}
            checked={draft.kind === one.kind}
            onChange={() => onChange({ kind: one.kind })}
            className="mt-1 accent-(--accent)"
          />
          <span className="min-w-0 flex-1">
            <span className={one.available ? "font-medium" : "font-medium text-faint"}>
              {KINDS[one.kind].label}
            </span>
            <span className="block text-muted text-sm">
              {one.available ? KINDS[one.kind].what : <Why one={one} />}
            </span>
          </span>
          <span className="text-muted text-sm tabular-nums">
            {one.available && one.kind !== "hub" && `about ${bytes(one.estimate_bytes)}`}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const Why = ({ one }: { one: KindOption }) => (
  <>
    {one.reason} <Inline text={one.remedy} />
  </>
);

function Details({ options, draft, onChange }: PartProps) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      <SourceField options={options} draft={draft} onChange={onChange} />
      {options.has_ema && needsWeights(draft) && <WeightsField draft={draft} onChange={onChange} />}
      {(draft.kind === "gguf" || (draft.kind === "hub" && draft.content === "gguf")) && (
        <GgufField draft={draft} onChange={onChange} />
      )}
      {draft.kind === "hub" && <HubFields options={options} draft={draft} onChange={onChange} />}
      <PromptField options={options} draft={draft} onChange={onChange} />
    </div>
  );
}

/** Whether there is room for it. */
function Room({ options, draft }: { options: ExportOptions; draft: Draft }) {
  const free = options.disk_free;
  if (free === null) {
    return (
      <Notice tone="warn">
        No worker is connected: the export waits in the queue until there is one.
      </Notice>
    );
  }
  const needed = neededBytes(options, draft);
  if (needed < free) return null;
  return (
    <Notice tone="warn">
      It needs about {bytes(needed)}, and no worker has more than {bytes(free)} of free disk.
    </Notice>
  );
}
