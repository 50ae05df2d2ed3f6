import { useState } from "react";
import { refusal, useSteerRun } from "../api/steering";
import type { RunSummary } from "../api/types";
import { Confirm } from "../components/Dialog";

type Deletable = Pick<RunSummary, "id" | "name" | "version" | "status">;

interface DeleteDialogProps {
  run: Deletable;
  onClose: () => void;
  onGone: () => void;
}

/** Asks before a run goes with all its files. */
export function DeleteDialog({ run, onClose, onGone }: DeleteDialogProps) {
  const [seen, setSeen] = useState(run);
  const steer = useSteerRun();
  const confirm = () => {
    const current = steer.error ? run : seen;
    setSeen(current);
    steer.mutate({ run: current, wish: { action: "delete" } }, { onSuccess: onGone });
  };
  return (
    <Confirm
      title="Delete this run?"
      action="Delete the run"
      busy={steer.isPending}
      error={refusal(steer.error)}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>
        <strong className="break-words font-medium text-ink">{seen.name}</strong> goes with its
        metrics, trajectories, logs, checkpoints and adapters.
        {seen.status === "queued" && " It leaves the queue."} This cannot be undone.
      </p>
    </Confirm>
  );
}
