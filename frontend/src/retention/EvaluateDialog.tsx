import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { asApiError } from "../api/client";
import type { RunDetail } from "../api/types";
import { exportOptionsQuery } from "../artifacts/queries";
import { Dialog } from "../components/Dialog";
import { Inline } from "../components/Inline";
import { Failure, Notice } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { integer, plural } from "../lib/format";
import { optionsOf, toRequests, type WeightsOption } from "./evaluate";
import { NewSet } from "./NewSet";
import { type EvaluationSet, type RetentionCurve, useEvaluate } from "./queries";

interface EvaluateDialogProps {
  run: RunDetail;
  curve: RetentionCurve | undefined;
  onClose: () => void;
}

/** Asks checkpoints the questions that others were asked, or new ones. */
export function EvaluateDialog({ run, curve, onClose }: EvaluateDialogProps) {
  const options = useQuery(exportOptionsQuery(run.id));
  const evaluate = useEvaluate(run.id);
  const sets = curve?.sets ?? [];
  const [setName, setSetName] = useState(sets[0]?.name ?? "");
  const [own, setOwn] = useState<EvaluationSet | null>(null);
  const [keys, setKeys] = useState<ReadonlySet<string>>(new Set());
  const asked = setName ? sets.find((one) => one.name === setName) : own;
  const weights = options.data
    ? optionsOf(options.data, curve?.items ?? [], asked?.name, run.progress.step)
    : [];
  const chosen = weights.filter((one) => keys.has(one.key));
  const problem = evaluate.error ? asApiError(evaluate.error) : null;
  const start = () => {
    if (asked) evaluate.mutate(toRequests(run.id, asked, chosen), { onSuccess: onClose });
  };
  const toggle = (key: string) =>
    setKeys((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  return (
    <Dialog
      title="Evaluate checkpoints"
      width="w-[560px]"
      onClose={onClose}
      footer={
        <>
          <span className="mr-auto self-center text-muted text-sm">
            {chosen.length > 0 && `${plural(chosen.length, "evaluation")} will be queued`}
          </span>
          <Button onClick={onClose}>Close</Button>
          <Button
            variant="primary"
            disabled={!asked || chosen.length === 0}
            busy={evaluate.isPending}
            onClick={start}
          >
            Evaluate
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        {sets.length > 0 && (
          <label className="flex flex-col gap-1">
            <span className="font-medium">Questions</span>
            <select
              data-autofocus
              value={setName}
              onChange={(event) => setSetName(event.target.value)}
              className="control"
            >
              {sets.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}, as it was asked before
                  {one.limit ? ` (first ${integer(one.limit)})` : ""}
                </option>
              ))}
              <option value="">Others…</option>
            </select>
          </label>
        )}
        {setName === "" && <NewSet onChange={setOwn} />}
        {options.error && !options.data && (
          <Failure error={options.error} onRetry={() => void options.refetch()} />
        )}
        {!options.data && !options.error && <Skeleton className="h-40" />}
        {options.data && <Choice weights={weights} keys={keys} onToggle={toggle} />}
        <p className="text-muted text-sm">
          Each answers the questions and is compared with the base, token by token. The base's own
          answers are kept and not written again.
        </p>
        {problem && (
          <Notice tone="bad" title={problem.message}>
            {problem.remedy && <Inline text={problem.remedy} />}
          </Notice>
        )}
      </div>
    </Dialog>
  );
}

function Choice(props: {
  weights: readonly WeightsOption[];
  keys: ReadonlySet<string>;
  onToggle: (key: string) => void;
}) {
  if (props.weights.length === 0) {
    return (
      <Notice tone="warn" title="There are no weights to evaluate yet">
        Wait for the run's first checkpoint, or for its end.
      </Notice>
    );
  }
  return (
    <fieldset>
      <legend className="mb-1 font-medium">Weights</legend>
      <div className="max-h-64 overflow-y-auto">
        {props.weights.map((one) => (
          <label
            key={one.key}
            className="flex cursor-pointer items-center gap-2.5 rounded-control px-2 py-1.5 hover:bg-hover"
          >
            <input
              type="checkbox"
              checked={props.keys.has(one.key)}
              onChange={() => props.onToggle(one.key)}
              className="accent-(--accent)"
            />
            <span className="flex-1">{one.label}</span>
            {one.known && <span className="text-faint text-sm">evaluated on this</span>}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
