import { type ReactNode, useState } from "react";
import { useEndRun } from "../api/actions";
import { asApiError } from "../api/client";
import type { RunSummary } from "../api/types";
import { Confirm } from "../components/Dialog";

/** The question before a run is stopped (after its start) or cancelled (before it). */
export function useEndDialog(run: Pick<RunSummary, "id" | "name" | "status">): {
  open: () => void;
  dialog: ReactNode;
} {
  const [asked, setAsked] = useState<"stop" | "cancel" | null>(null);
  const stop = useEndRun("stop");
  const cancel = useEndRun("cancel");
  const mutation = asked === "cancel" ? cancel : stop;
  const close = () => {
    setAsked(null);
    mutation.reset();
  };
  const problem = mutation.error ? asApiError(mutation.error) : undefined;
  const error = problem && `${problem.message} ${problem.remedy}`.trim();
  const confirm = () => mutation.mutate(run.id, { onSuccess: () => setAsked(null) });
  const dialog = asked && (
    <Confirm
      title={asked === "stop" ? "Stop this run?" : "Cancel this run?"}
      action={asked === "stop" ? "Stop the run" : "Cancel the run"}
      busy={mutation.isPending}
      error={error}
      onConfirm={confirm}
      onClose={close}
      testId="stop-confirm"
    >
      <p>
        <strong className="font-medium text-ink">{run.name}</strong>{" "}
        {asked === "stop"
          ? "finishes the step that it is in, saves its adapter and a checkpoint, and ends. It can be resumed later."
          : "leaves the queue without having started. Its configuration stays, so that it can be cloned."}
      </p>
    </Confirm>
  );
  return { open: () => setAsked(run.status === "queued" ? "cancel" : "stop"), dialog };
}
