import { type ReactNode, useState } from "react";
import { refusal } from "../api/steering";
import { Confirm, Dialog } from "../components/Dialog";
import { Button } from "../components/ui";
import { integer, plural } from "../lib/format";
import { type Fate, type ResumeWish, type StudyDetail, useSteerStudy } from "./api";
import { failedRuns, openRuns, unfinishedRuns } from "./words";

interface StudyDialogProps {
  study: StudyDetail;
  onClose: () => void;
}

export function CancelStudy({ study, onClose }: StudyDialogProps) {
  const steer = useSteerStudy(study.id);
  const open = openRuns(study.runs);
  return (
    <Confirm
      title="Cancel this study?"
      action={`Stop ${plural(open, "run")}`}
      busy={steer.isPending}
      error={refusal(steer.error)}
      onConfirm={() => steer.mutate({ action: "cancel" }, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        Runs that wait leave the queue. Those that have started finish their step, save, and stop.
        What is over stays, and the study can be resumed.
      </p>
    </Confirm>
  );
}

interface ChoiceProps {
  name: string;
  checked: boolean;
  title: string;
  sentence: ReactNode;
  onChoose: () => void;
}

function Choice({ name, checked, title, sentence, onChoose }: ChoiceProps) {
  return (
    <label className="flex cursor-pointer items-start gap-2.5 rounded-control border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft">
      <input
        type="radio"
        name={name}
        checked={checked}
        onChange={onChoose}
        className="mt-1 accent-accent"
      />
      <span>
        <span className="font-medium text-ink">{title}</span>
        <span className="block text-muted text-sm">{sentence}</span>
      </span>
    </label>
  );
}

/** Takes up what ended without success. */
export function ResumeStudy({ study, onClose }: StudyDialogProps) {
  const steer = useSteerStudy(study.id);
  const failed = failedRuns(study.runs);
  const unfinished = unfinishedRuns(study);
  const [what, setWhat] = useState<ResumeWish["what"]>("unfinished");
  const count = what === "failed" ? failed : unfinished;
  return (
    <Dialog
      title="Resume this study"
      onClose={onClose}
      footer={
        <>
          <Button data-autofocus onClick={onClose}>
            Not now
          </Button>
          <Button
            variant="primary"
            disabled={steer.isPending || count === 0}
            onClick={() =>
              steer.mutate({ action: "resume", wish: { what } }, { onSuccess: onClose })
            }
          >
            Queue {plural(count, "run")}
          </Button>
        </>
      }
    >
      <fieldset className="flex flex-col gap-2">
        <legend className="sr-only">Which runs</legend>
        <Choice
          name="what"
          checked={what === "unfinished"}
          title={`Everything unfinished (${integer(unfinished)})`}
          sentence="Stopped and failed runs go on from their newest checkpoint, or anew where there is none. Cancelled and deleted ones get a new run."
          onChoose={() => setWhat("unfinished")}
        />
        <Choice
          name="what"
          checked={what === "failed"}
          title={`Only what failed (${integer(failed)})`}
          sentence="Runs that failed or crashed."
          onChoose={() => setWhat("failed")}
        />
      </fieldset>
      {steer.error && (
        <p role="alert" className="mt-3 text-bad">
          {refusal(steer.error)}
        </p>
      )}
    </Dialog>
  );
}

/** Asks what becomes of the runs before a study goes. */
export function DeleteStudy({ study, onClose, onGone }: StudyDialogProps & { onGone: () => void }) {
  const steer = useSteerStudy(study.id);
  const [runs, setRuns] = useState<Fate>("keep");
  const action = runs === "keep" ? "Delete the study" : "Delete the study and its runs";
  return (
    <Confirm
      title="Delete this study?"
      action={action}
      busy={steer.isPending}
      error={refusal(steer.error)}
      onConfirm={() => steer.mutate({ action: "delete", runs }, { onSuccess: onGone })}
      onClose={onClose}
    >
      <p>
        <strong className="break-words font-medium text-ink">{study.name}</strong> and its
        comparison go. This cannot be undone.
      </p>
      <fieldset className="mt-3 flex flex-col gap-2">
        <legend className="sr-only">What becomes of its runs</legend>
        <Choice
          name="fate"
          checked={runs === "keep"}
          title={`Keep its ${plural(study.cells.length, "run")}`}
          sentence="They stay as runs of their own; those under way go on."
          onChoose={() => setRuns("keep")}
        />
        <Choice
          name="fate"
          checked={runs === "delete"}
          title="Delete its runs too"
          sentence="With their metrics, trajectories, logs, checkpoints and adapters."
          onChoose={() => setRuns("delete")}
        />
      </fieldset>
    </Confirm>
  );
}
