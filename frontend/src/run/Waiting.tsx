import { Link } from "@tanstack/react-router";
import type { RunDetail } from "../api/types";
import { absoluteTime, epochIso } from "../lib/format";

/** Where a queued run stands, what it waits for, and when its next attempt is due. */
export function Waiting({ run }: { run: RunDetail }) {
  const { waiting } = run;
  if (run.status !== "queued" || !waiting) return null;
  const due =
    run.retry_at === null ? undefined : `Next attempt: ${absoluteTime(epochIso(run.retry_at))}`;
  return (
    <span className="min-w-0 text-muted" data-testid="run-waiting" title={due}>
      <Link
        to="/queue"
        className="text-ink underline decoration-line-strong underline-offset-2 hover:decoration-current"
      >
        No. {waiting.position} in the queue
      </Link>
      {waiting.reasons.length === 0 && " · the next free worker takes it"}
      {waiting.reasons.map((reason) => (
        <span key={reason}> · {reason}</span>
      ))}
    </span>
  );
}
