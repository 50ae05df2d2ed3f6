import { TriangleAlert } from "lucide-react";
import type { Attempt, RunDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { Time } from "../components/Time";
import { duration, UNKNOWN } from "../lib/format";
import { Card, Nothing } from "./cards";
import { exitWords, memoryWords, resumedWords } from "./history";

export function Attempts({ run }: { run: RunDetail }) {
  return (
    <Card title={`Attempts, at most ${run.max_attempts}`}>
      {run.attempts.length === 0 && <Nothing>The run has not started.</Nothing>}
      {run.attempts.toReversed().map((attempt) => (
        <AttemptRow key={attempt.number} attempt={attempt} />
      ))}
    </Card>
  );
}

function placeWords({ worker, hostname }: Attempt): string {
  return worker === hostname ? hostname : `${worker ?? UNKNOWN} on ${hostname}`;
}

function AttemptRow({ attempt }: { attempt: Attempt }) {
  const seconds = attempt.ended_at
    ? (Date.parse(attempt.ended_at) - Date.parse(attempt.started_at)) / 1000
    : null;
  const end = attempt.outcome ?? (attempt.ended_at ? "ended" : "running");
  const exit = exitWords(attempt.exit_code);
  const memory = memoryWords(attempt);
  return (
    <div data-testid="attempt" className="border-line border-b px-3 py-2 last:border-b-0">
      <div className="flex items-baseline justify-between gap-4">
        <span>
          <span className="font-medium">Attempt {attempt.number}</span>{" "}
          <span className="text-muted">{[end, exit].filter(Boolean).join(", ")}</span>
        </span>
        <span className="shrink-0 text-faint text-sm tabular-nums">
          {attempt.ended_at ? duration(seconds) : <Time iso={attempt.started_at} />}
        </span>
      </div>
      <p className="text-muted text-sm">
        {placeWords(attempt)}. {resumedWords(attempt)}
      </p>
      {memory && (
        <p className={`text-sm ${memory.ok ? "text-muted" : "text-warn"}`}>
          {!memory.ok && (
            <TriangleAlert aria-hidden="true" className="mr-1 inline size-3.5 align-[-2px]" />
          )}
          {memory.words}
        </p>
      )}
      <div className="flex items-center gap-1">
        <code className="min-w-0 break-all font-mono text-faint text-sm">{attempt.directory}</code>
        <Copy compact text={attempt.directory} label="Copy the folder" />
      </div>
    </div>
  );
}
