import { Link } from "@tanstack/react-router";
import { refusal } from "../api/steering";
import { isResumable } from "../api/types";
import { Dialog } from "../components/Dialog";
import { Inline } from "../components/Inline";
import { StatusChip } from "../components/StatusChip";
import { Button } from "../components/ui";
import { integer } from "../lib/format";
import { type StudyDetail, type StudyRun, type StudyTable, useSteerStudy } from "./api";
import { CompareLink } from "./CompareLink";
import { namedLevels, withInterval } from "./figures";
import { deviceTime, tokenCount } from "./words";

interface CellDialogProps {
  study: StudyDetail;
  table: StudyTable;
  /** Levels as the URL names them. */
  cell: string;
  onClose: () => void;
}

const levelsText = (levels: Record<string, string>): string =>
  namedLevels(levels).replaceAll(", ", ",");

/** A cell's runs, what they cost, and what of them is missing. */
export function CellDialog({ study, table, cell, onClose }: CellDialogProps) {
  const steer = useSteerStudy(study.id);
  const found = table.cells.flat().find((one) => one && levelsText(one.levels) === cell);
  if (!found) return null;
  const runs = found.runs.flatMap((id) => study.cells.find((run) => run.id === id) ?? []);
  const retry = (run: StudyRun) =>
    steer.mutate({ action: "resume", wish: { what: "unfinished", runs: [run.id] } });
  const gone = found.states.deleted ?? 0;
  return (
    <Dialog
      title={cell.replaceAll(",", ", ")}
      onClose={onClose}
      width="w-[640px]"
      footer={runs.length > 0 && <CompareLink runs={found.runs}>Compare its runs</CompareLink>}
    >
      <dl className="grid grid-cols-2 gap-x-6 gap-y-2 pb-3 sm:grid-cols-4">
        {[
          ["Last value", withInterval(found.final)],
          ["Gain", withInterval(found.gain, true)],
          ["Device time", deviceTime(found.cost)],
          ["Tokens", tokenCount(found.cost.tokens)],
        ].map(([label, value]) => (
          <div key={label}>
            <dt className="eyebrow">{label}</dt>
            <dd className="tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {found.final.note && (
        <p className="pb-3 text-sm text-warn first-letter:uppercase">{found.final.note}.</p>
      )}
      <ul className="max-h-80 divide-y divide-line overflow-y-auto border-line border-y">
        {runs.map((run) => (
          <RunLine
            key={run.id}
            run={run}
            hidden={found.levels}
            busy={steer.isPending}
            onRetry={() => retry(run)}
          />
        ))}
      </ul>
      {gone > 0 && (
        <p className="pt-3 text-muted text-sm">
          {integer(gone)} {gone === 1 ? "run was" : "runs were"} deleted. “Resume” on the study's
          page queues new ones.
        </p>
      )}
      {steer.error && (
        <p role="alert" className="pt-3 text-bad">
          {refusal(steer.error)}
        </p>
      )}
    </Dialog>
  );
}

interface RunLineProps {
  run: StudyRun;
  /** Levels that the whole cell has. */
  hidden: Record<string, string>;
  busy: boolean;
  onRetry: () => void;
}

function RunLine({ run, hidden, busy, onRetry }: RunLineProps) {
  const others = Object.entries(run.levels).filter(([factor]) => !(factor in hidden));
  const name = namedLevels({ ...Object.fromEntries(others), seed: String(run.seed) });
  const again = isResumable(run.status) || run.status === "cancelled";
  return (
    <li className="flex flex-col gap-1 py-2">
      <div className="flex items-center gap-3">
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          title={run.name}
          className="min-w-0 flex-1 truncate font-medium hover:text-accent-text"
        >
          {name}
        </Link>
        {run.total_steps !== null && (
          <span className="text-muted text-sm tabular-nums">
            {integer(run.step)} / {integer(run.total_steps)}
          </span>
        )}
        <StatusChip status={run.status} />
        {again && (
          <Button small disabled={busy} onClick={onRetry} aria-label={`Run ${name} again`}>
            {run.status === "stopped" ? "Resume" : "Retry"}
          </Button>
        )}
      </div>
      {run.problem && (
        <p className="text-muted text-sm">
          <Inline text={`${run.problem.message} ${run.problem.remedy ?? ""}`.trim()} />
        </p>
      )}
    </li>
  );
}
