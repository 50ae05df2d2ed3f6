import { Ban, CirclePause, Play } from "lucide-react";
import { useState } from "react";
import { refusal, useWorkerMode } from "../api/steering";
import type { Worker } from "../api/types";
import { Dialog } from "../components/Dialog";
import { Button } from "../components/ui";

export function ModeActions({ worker }: { worker: Worker }) {
  const mode = useWorkerMode();
  const [asking, setAsking] = useState(false);
  const set = (action: "drain" | "resume") => mode.mutate({ id: worker.id, action });
  const problem = asking ? undefined : refusal(mode.error);
  return (
    <>
      {problem && (
        <span role="alert" className="self-center text-bad text-sm">
          {problem}
        </span>
      )}
      {worker.mode === "active" ? (
        <Button
          small
          title="It finishes its run and takes no other"
          busy={mode.isPending}
          onClick={() => set("drain")}
        >
          <CirclePause aria-hidden="true" className="size-3.5" />
          Drain
        </Button>
      ) : (
        <Button
          small
          title="Let it take runs again"
          busy={mode.isPending}
          onClick={() => set("resume")}
        >
          <Play aria-hidden="true" className="size-3.5" />
          Resume
        </Button>
      )}
      {worker.mode !== "quarantined" && (
        <Button small busy={mode.isPending} onClick={() => setAsking(true)}>
          <Ban aria-hidden="true" className="size-3.5" />
          Quarantine…
        </Button>
      )}
      {asking && <QuarantineDialog worker={worker} onClose={() => setAsking(false)} />}
    </>
  );
}

function QuarantineDialog({ worker, onClose }: { worker: Worker; onClose: () => void }) {
  const mode = useWorkerMode();
  const [reason, setReason] = useState("");
  const problem = refusal(mode.error);
  const submit = () =>
    mode.mutate(
      { id: worker.id, action: "quarantine", reason: reason.trim() },
      { onSuccess: onClose },
    );
  return (
    <Dialog
      title={`Quarantine ${worker.name}?`}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button variant="danger" disabled={!reason.trim()} busy={mode.isPending} onClick={submit}>
            Quarantine
          </Button>
        </>
      }
    >
      <p className="text-muted">
        It takes no more runs, also after a restart, until somebody resumes it.
        {worker.run_id && " The run that it has goes on."}
      </p>
      <label htmlFor="quarantine-reason" className="mt-3 mb-1 block font-medium">
        What is wrong with it?
      </label>
      <input
        id="quarantine-reason"
        data-autofocus
        value={reason}
        maxLength={1000}
        autoComplete="off"
        onChange={(event) => setReason(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && reason.trim()) submit();
        }}
        className="control w-full"
      />
      {problem && (
        <p role="alert" className="mt-2 text-bad text-sm">
          {problem}
        </p>
      )}
    </Dialog>
  );
}
