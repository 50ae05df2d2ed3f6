import { Play } from "lucide-react";
import { Button } from "../components/ui";
import { plural } from "../lib/format";
import { VerdictWords } from "./VerdictWords";

interface LaunchProps {
  state: string;
  problems: number;
  pending: boolean;
  /** How many are queued at once. */
  runs: number;
  /** Whether a text waits whose mistakes keep it out of the form. */
  unread: boolean;
  onOpen: () => void;
  onStart: () => void;
}

/** The verdict and the button that queues one run, or a study. */
export function Launch(props: LaunchProps) {
  const { onOpen, onStart, pending, problems, runs, state, unread } = props;
  const words = runs > 1 ? `Queue study · ${plural(runs, "run")}` : "Start run";
  return (
    <>
      <VerdictWords state={state} problems={problems} onOpen={onOpen} />
      <Button
        variant="primary"
        data-testid="start-run"
        disabled={pending || unread}
        title={
          unread
            ? "The text has mistakes; mend it or throw it away first."
            : "Ctrl+Enter in the form"
        }
        onClick={onStart}
      >
        <Play aria-hidden="true" className="size-3.5" />
        {pending ? "Starting…" : words}
      </Button>
    </>
  );
}
