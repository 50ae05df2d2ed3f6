import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { refusal } from "../api/steering";
import { isActive } from "../api/types";
import { Inline } from "../components/Inline";
import { Button } from "../components/ui";
import { integer, plural } from "../lib/format";
import { type Gap, type StudyDetail, useSteerStudy } from "./api";

const FEW = 12;

/** Runs that the comparisons lack, each with its reason. */
export function Gaps({ study }: { study: StudyDetail }) {
  const [all, setAll] = useState(false);
  const steer = useSteerStudy(study.id);
  const open = new Set(study.cells.filter((run) => isActive(run.status)).map((run) => run.id));
  const missing = study.report.gaps.filter((gap) => !(gap.run_id && open.has(gap.run_id)));
  const tried = new Set(
    study.cells.filter((run) => run.status !== "succeeded").map((run) => run.id),
  );
  if (missing.length === 0 && open.size === 0) return null;
  const shown = all ? missing : missing.slice(0, FEW);
  return (
    <section aria-label="Missing" className="panel overflow-hidden">
      <h2 className="border-line border-b px-4 py-2.5 font-semibold text-lg">Missing</h2>
      {open.size > 0 && (
        <p className="px-4 py-2.5 text-muted">
          {plural(open.size, "run is", "runs are")} not over yet and not counted so far.
        </p>
      )}
      {steer.error && (
        <p role="alert" className="px-4 py-2 text-bad">
          {refusal(steer.error)}
        </p>
      )}
      {shown.length > 0 && (
        <ul className="divide-y divide-line border-line border-t first:border-t-0">
          {shown.map((gap) => (
            <GapLine
              key={`${gap.run} ${gap.metric ?? ""}`}
              gap={gap}
              busy={steer.isPending}
              onRetry={
                gap.run_id && tried.has(gap.run_id)
                  ? (runs) => steer.mutate({ action: "resume", wish: { what: "unfinished", runs } })
                  : null
              }
            />
          ))}
        </ul>
      )}
      {missing.length > shown.length && (
        <div className="border-line border-t px-4 py-2 print:hidden">
          <Button small variant="ghost" onClick={() => setAll(true)}>
            Show all {integer(missing.length)}
          </Button>
        </div>
      )}
    </section>
  );
}

interface GapLineProps {
  gap: Gap;
  busy: boolean;
  onRetry: ((runs: string[]) => void) | null;
}

function GapLine({ gap, busy, onRetry }: GapLineProps) {
  const name = gap.run.replaceAll(",", ", ");
  return (
    <li data-testid="study-gap" className="flex items-start gap-3 px-4 py-2">
      <div className="min-w-0 flex-1 break-words">
        {gap.run_id ? (
          <Link
            to="/runs/$runId"
            params={{ runId: gap.run_id }}
            className="font-medium hover:text-accent-text"
          >
            {name}
          </Link>
        ) : (
          <span className="font-medium">{name}</span>
        )}
        {gap.metric && <span className="text-muted"> · {gap.metric}</span>}
        <p className="text-muted text-sm">
          <Inline text={gap.reason} />
        </p>
      </div>
      {onRetry && gap.run_id && (
        <Button
          small
          disabled={busy}
          aria-label={`Run ${name} again`}
          onClick={() => gap.run_id && onRetry([gap.run_id])}
          className="print:hidden"
        >
          Retry
        </Button>
      )}
    </li>
  );
}
