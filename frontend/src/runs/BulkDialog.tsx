import { type ReactNode, useState } from "react";
import { isActive, isDeletable, isResumable, isStoppable, type StopMode } from "../api/types";
import { Dialog } from "../components/Dialog";
import { Bar, Button } from "../components/ui";
import { plural } from "../lib/format";
import { type BulkAction, type BulkWish, type Outcome, useBulk } from "./bulk";
import { Modes } from "./EndRun";
import { type Pick, type Selection, without } from "./selection";
import { TagField } from "./TagField";

interface BulkDialogProps {
  action: BulkAction;
  selection: Selection;
  onSelection: (selection: Selection) => void;
  onClose: () => void;
}

interface Words {
  title: string;
  /** Of the button, before the number of runs. */
  verb: string;
  done: string;
  fits: (run: Pick) => boolean;
}

const WORDS: Record<BulkAction, Words> = {
  stop: { title: "Stop runs", verb: "Stop", done: "stopped", fits: (run) => isActive(run.status) },
  resume: {
    title: "Resume runs",
    verb: "Resume",
    done: "queued again",
    fits: (run) => isResumable(run.status),
  },
  clone: {
    title: "Clone runs",
    verb: "Clone",
    done: "cloned",
    fits: (run) => run.kind === "training",
  },
  tag: { title: "Tag runs", verb: "Tag", done: "tagged", fits: () => true },
  delete: {
    title: "Delete runs",
    verb: "Delete",
    done: "deleted",
    fits: (run) => isDeletable(run.status),
  },
};

/** Asks, does it run by run, and says what became of each; what was refused stays selected. */
export function BulkDialog({ action, selection, onSelection, onClose }: BulkDialogProps) {
  const words = WORDS[action];
  const picks = [...selection.values()];
  const [mode, setMode] = useState<StopMode>("save");
  const [add, setAdd] = useState<string[]>([]);
  const [remove, setRemove] = useState<string[]>([]);
  const [outcomes, setOutcomes] = useState<Outcome[] | null>(null);
  const bulk = useBulk();
  const fitting = picks.filter(words.fits);
  const busy = bulk.done !== null;
  const ready = fitting.length > 0 && (action !== "tag" || add.length + remove.length > 0);

  const confirm = async () => {
    const wish: BulkWish = { action, mode, ...(action === "tag" ? { add, remove } : {}) };
    const found = await bulk.carryOut(wish, fitting);
    const refused = found.filter((outcome) => outcome.problem);
    if (action !== "tag") {
      const gone = found.filter((outcome) => !outcome.problem).map((outcome) => outcome.id);
      onSelection(without(selection, gone));
    }
    if (refused.length === 0) onClose();
    else setOutcomes(found);
  };
  if (outcomes) return <Outcomes words={words} outcomes={outcomes} onClose={onClose} />;
  return (
    <Dialog
      title={words.title}
      onClose={busy ? () => undefined : onClose}
      footer={
        <>
          <Button data-autofocus={action !== "tag"} disabled={busy} onClick={onClose}>
            Back
          </Button>
          <Button
            variant={action === "delete" || action === "stop" ? "danger" : "primary"}
            disabled={busy || !ready}
            onClick={() => void confirm()}
          >
            {words.verb} {plural(fitting.length, "run")}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3 text-muted">
        <Explanation action={action} fitting={fitting} all={picks} />
        {action === "stop" && fitting.some(isStoppable) && (
          <Modes modes={["save", "discard", "force"]} chosen={mode} onChoose={setMode} />
        )}
        {action === "tag" && (
          <>
            <TagField label="Put on" tags={add} onChange={setAdd} focus />
            <TagField label="Take off" tags={remove} onChange={setRemove} />
          </>
        )}
        {busy && (
          <Bar
            share={(bulk.done ?? 0) / fitting.length}
            label={`${words.title}: how many are done`}
          />
        )}
      </div>
    </Dialog>
  );
}

interface ExplanationProps {
  action: BulkAction;
  fitting: readonly Pick[];
  all: readonly Pick[];
}

const REST: Partial<Record<BulkAction, string>> = {
  stop: "over already",
  resume: "not stopped, failed or crashed",
  clone: "not trainings",
  delete: "under way: stop them first",
};

function Explanation({ action, fitting, all }: ExplanationProps) {
  const rest = all.length - fitting.length;
  return (
    <>
      {action !== "tag" && (
        <ul className="max-h-32 overflow-y-auto text-ink">
          {fitting.slice(0, 50).map((run) => (
            <li key={run.id} className="truncate">
              {run.name}
            </li>
          ))}
          {fitting.length > 50 && <li>and {plural(fitting.length - 50, "other run")}</li>}
        </ul>
      )}
      {SENTENCES[action] && <p>{SENTENCES[action]}</p>}
      {rest > 0 && (
        <p>
          {plural(rest, "run")} of the selection {rest === 1 ? "is" : "are"} left alone:{" "}
          {REST[action]}.
        </p>
      )}
    </>
  );
}

const SENTENCES: Partial<Record<BulkAction, ReactNode>> = {
  stop: "Those that have not started leave the queue; the others end as you choose.",
  resume: "Each goes on from its newest whole checkpoint, or starts anew where there is none.",
  clone: "Each gets a copy with the same configuration, which is queued.",
  delete:
    "They go with their metrics, trajectories, logs, checkpoints and adapters. This cannot be undone.",
};

function Outcomes(props: { words: Words; outcomes: readonly Outcome[]; onClose: () => void }) {
  const refused = props.outcomes.filter((outcome) => outcome.problem);
  const done = props.outcomes.length - refused.length;
  return (
    <Dialog
      title={`${plural(refused.length, "run")} could not be ${props.words.done}`}
      onClose={props.onClose}
      width="w-[560px]"
      footer={
        <Button data-autofocus onClick={props.onClose}>
          Close
        </Button>
      }
    >
      <p className="text-muted">
        {done > 0 && `${plural(done, "run")} ${done === 1 ? "was" : "were"} ${props.words.done}. `}
        Nothing was changed about these; they stay selected.
      </p>
      <ul role="alert" className="mt-3 flex max-h-80 flex-col gap-2 overflow-y-auto">
        {refused.map((outcome) => (
          <li key={outcome.id} className="border-line border-t pt-2">
            <span className="block truncate font-medium">{outcome.name ?? outcome.id}</span>
            <span className="block text-muted text-sm">
              {outcome.problem?.message} {outcome.problem?.remedy}
            </span>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
