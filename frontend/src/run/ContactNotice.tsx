import type { RunDetail } from "../api/types";
import { Notice } from "../components/states";
import { Button } from "../components/ui";
import { useAge } from "../lib/hooks";
import { useEndDialog } from "../runs/EndRun";
import { contactWords, modesLeft } from "./contact";

/** A stop under way with its countdown, or a worker that is silent. */
export function ContactNotice({ run }: { run: RunDetail }) {
  const age = useAge(run.contact);
  const end = useEndDialog(run);
  const words = contactWords(run, age);
  if (!words) return null;
  const canHurry = run.status === "stopping" && modesLeft(run).length > 0;
  return (
    <div data-testid="run-contact">
      <Notice tone="warn" title={words.title}>
        <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
          <p className="text-muted tabular-nums">{words.detail}</p>
          {canHurry && (
            <Button small variant="danger" onClick={end.open}>
              More urgent…
            </Button>
          )}
        </div>
      </Notice>
      {end.dialog}
    </div>
  );
}
