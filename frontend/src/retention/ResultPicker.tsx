import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { runsQuery } from "../api/queries";
import type { RunSummary } from "../api/types";
import { Dialog } from "../components/Dialog";
import { StatusChip } from "../components/StatusChip";
import { Failure } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { integer, number, percent } from "../lib/format";
import { useDebounced } from "../lib/hooks";
import { type EvaluatedWeights, retentionCurveQuery } from "./queries";
import { nameOf } from "./words";

interface ResultPickerProps {
  set: string;
  own: readonly EvaluatedWeights[];
  onChoose: (name: string) => void;
  onClose: () => void;
}

const SHOWN = 30;
const ITEM =
  "flex w-full items-center gap-3 rounded-control px-2.5 py-1.5 text-left hover:bg-hover focus-visible:bg-hover";

/** Another result on the same questions: of this run, or of one that is found by its name. */
export function ResultPicker({ set, own, onChoose, onClose }: ResultPickerProps) {
  const [text, setText] = useState("");
  const [run, setRun] = useState<RunSummary | null>(null);
  const q = useDebounced(text.trim(), 200);
  const found = useQuery(runsQuery({ limit: SHOWN, ...(q ? { q } : {}) }));
  return (
    <Dialog title="Compare with" width="w-[600px]" onClose={onClose}>
      {run ? (
        <OfRun run={run} set={set} onChoose={onChoose} onBack={() => setRun(null)} />
      ) : (
        <>
          <h3 className="eyebrow mb-1">This run on {set}</h3>
          <Results items={own} set={set} onChoose={onChoose} />
          <h3 className="eyebrow mt-3 mb-1">Another run</h3>
          <input
            data-autofocus
            type="search"
            aria-label="Search runs by name"
            placeholder="Run name"
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="control w-full"
          />
          {found.error && !found.data && <Failure error={found.error} />}
          {!found.data && !found.error && <Skeleton className="mt-2 h-32" />}
          <ul aria-label="Runs" className="mt-2 max-h-[36vh] overflow-y-auto">
            {found.data?.items
              .filter((one) => one.kind !== "export")
              .map((one) => (
                <li key={one.id}>
                  <button type="button" className={ITEM} onClick={() => setRun(one)}>
                    <span className="min-w-0 flex-1 truncate">{one.name}</span>
                    <StatusChip status={one.status} still />
                  </button>
                </li>
              ))}
            {found.data?.items.length === 0 && (
              <li className="px-2.5 py-4 text-muted">No run has this name.</li>
            )}
          </ul>
        </>
      )}
    </Dialog>
  );
}

interface OfRunProps {
  run: RunSummary;
  set: string;
  onChoose: (name: string) => void;
  onBack: () => void;
}

function OfRun({ run, set, onChoose, onBack }: OfRunProps) {
  const { data, error } = useQuery(retentionCurveQuery(run.id, false));
  return (
    <>
      <div className="mb-2 flex items-center gap-3">
        <Button small data-autofocus onClick={onBack}>
          Other runs
        </Button>
        <span className="min-w-0 truncate font-medium">{run.name}</span>
      </div>
      {error && <Failure error={error} />}
      {!data && !error && <Skeleton className="h-24" />}
      {data && <Results items={data.items} set={set} onChoose={onChoose} />}
    </>
  );
}

function Results(props: {
  items: readonly EvaluatedWeights[];
  set: string;
  onChoose: (name: string) => void;
}) {
  const items = props.items.filter((item) => item.set === props.set);
  if (items.length === 0) {
    return <p className="px-2.5 py-2 text-muted">It was not asked {props.set}.</p>;
  }
  return (
    <ul aria-label="Results" className="max-h-[30vh] overflow-y-auto">
      {items.map((item) => (
        <li key={item.name}>
          <button type="button" className={ITEM} onClick={() => props.onChoose(item.name)}>
            <span className="flex-1">{nameOf(item)}</span>
            <span className="text-muted text-sm tabular-nums">
              {integer(item.questions)} questions · {percent(item.accuracy.estimate)} right · JSD{" "}
              {number(item.jsd, 3)}
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}
