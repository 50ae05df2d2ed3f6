import { type ReactNode, useState } from "react";
import { ApiError } from "../api/client";
import { type RunWish, refusal, useSteerRun } from "../api/steering";
import { isCancellable, type RunSummary, type StopMode } from "../api/types";
import { Confirm } from "../components/Dialog";
import { modesLeft, STOP_MODES } from "../run/contact";

type Endable = Pick<RunSummary, "id" | "name" | "status" | "version" | "attempt" | "stop_mode">;

interface EndDialog {
  open: () => void;
  dialog: ReactNode;
}

/** The question before a run is stopped (after its start) or cancelled (before it). */
export function useEndDialog(run: Endable): EndDialog {
  // The run as it was when the question was put: who answers it means that one.
  const [seen, setSeen] = useState<Endable | null>(null);
  return {
    open: () => setSeen(run),
    dialog: seen && <EndRun seen={seen} run={run} onLook={setSeen} onClose={() => setSeen(null)} />,
  };
}

interface EndRunProps {
  seen: Endable;
  run: Endable;
  onLook: (run: Endable) => void;
  onClose: () => void;
}

function EndRun({ seen, run, onLook, onClose }: EndRunProps) {
  const steer = useSteerRun();
  const modes = modesLeft(seen);
  const [chosen, setChosen] = useState<StopMode | null>(null);
  // To end sooner what hangs takes force; only the first wish may be patient.
  const fitting = seen.status === "stopping" ? "force" : "save";
  const mode = chosen && modes.includes(chosen) ? chosen : fitting;
  const cancels = isCancellable(seen);
  const waits = seen.status === "queued";
  const changed = steer.error instanceof ApiError && steer.error.status === 409;

  const confirm = () => {
    // After a refusal the run as it is now has been seen.
    const current = changed ? run : seen;
    if (changed) onLook(run);
    const wish: RunWish = isCancellable(current) ? { action: "cancel" } : { action: "stop", mode };
    steer.mutate({ run: current, wish }, { onSuccess: onClose });
  };
  return (
    <Confirm
      title={
        cancels
          ? "Cancel this run?"
          : seen.status === "stopping"
            ? "Stop sooner?"
            : "Stop this run?"
      }
      action={cancels ? "Cancel the run" : waits ? "Stop the run" : STOP_MODES[mode].action}
      busy={steer.isPending}
      error={refusal(steer.error)}
      onConfirm={confirm}
      onClose={onClose}
      testId="stop-confirm"
    >
      <p>
        <strong className="break-words font-medium text-ink">{seen.name}</strong>{" "}
        {cancels &&
          "leaves the queue without having started. Its configuration stays, so that it can be cloned."}
        {!cancels &&
          waits &&
          "waits for its next attempt. It leaves the queue at once and keeps what earlier attempts saved, so that it can be resumed."}
      </p>
      {!waits && <Modes modes={modes} chosen={mode} onChoose={setChosen} />}
    </Confirm>
  );
}

interface ModesProps {
  modes: readonly StopMode[];
  chosen: StopMode;
  onChoose: (mode: StopMode) => void;
}

export function Modes({ modes, chosen, onChoose }: ModesProps) {
  return (
    <fieldset className="mt-3 flex flex-col gap-2">
      <legend className="sr-only">How it is to end</legend>
      {modes.map((mode) => (
        <label
          key={mode}
          className="flex cursor-pointer items-start gap-2.5 rounded-control border border-line px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft"
        >
          <input
            type="radio"
            name="stop-mode"
            value={mode}
            checked={mode === chosen}
            onChange={() => onChoose(mode)}
            className="mt-1 accent-accent"
          />
          <span>
            <span className="font-medium text-ink">{STOP_MODES[mode].title}</span>
            <span className="block text-sm">{STOP_MODES[mode].sentence}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
