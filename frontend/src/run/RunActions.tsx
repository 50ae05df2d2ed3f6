import { useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import {
  CircleStop,
  Columns3,
  CopyPlus,
  GitCompareArrows,
  RotateCw,
  Trash2,
  X,
} from "lucide-react";
import { useState } from "react";
import { refusal, useSteerRun } from "../api/steering";
import { isCancellable, isDeletable, isResumable, isStoppable, type RunDetail } from "../api/types";
import { RunPicker } from "../compare/RunPicker";
import { Button, buttonClass, IconButton } from "../components/ui";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { DeleteDialog } from "../runs/DeleteRun";
import { useEndDialog } from "../runs/EndRun";

export function RunActions({ run }: { run: RunDetail }) {
  const end = useEndDialog(run);
  const resume = useSteerRun();
  const problem = refusal(resume.error);
  return (
    <>
      {problem && (
        <span role="alert" className="truncate text-bad text-sm" title={problem}>
          {problem}
        </span>
      )}
      {isResumable(run.status) && (
        <Button
          data-testid="resume-button"
          disabled={resume.isPending}
          title="Goes on from its newest checkpoint, or from the start where there is none"
          onClick={() => resume.mutate({ run, wish: { action: "resume" } })}
        >
          <RotateCw aria-hidden="true" className="size-4" />
          Resume
        </Button>
      )}
      <Compare run={run} />
      {run.kind === "training" && (
        <Link
          to="/side-by-side"
          search={{ runs: run.id }}
          className={buttonClass("secondary")}
          title="Ask it and its base the same"
        >
          <Columns3 aria-hidden="true" className="size-4" />
          Side by side
        </Link>
      )}
      {run.kind === "training" && (
        <Link
          to="/runs/new"
          search={{ from: run.id, project: run.project_id }}
          className={buttonClass("secondary")}
        >
          <CopyPlus aria-hidden="true" className="size-4" />
          Clone
        </Link>
      )}
      {isStoppable(run) && (
        <Button variant="danger" data-testid="stop-button" onClick={end.open}>
          <CircleStop aria-hidden="true" className="size-4" />
          Stop
        </Button>
      )}
      {isCancellable(run) && (
        <Button variant="danger" data-testid="cancel-button" onClick={end.open}>
          <X aria-hidden="true" className="size-4" />
          Cancel
        </Button>
      )}
      {isDeletable(run.status) && <Delete run={run} />}
      {end.dialog}
    </>
  );
}

const KEYS = { title: "Run", keys: [[["c"], "Compare with other runs"]] } as const;

/** With this run as the baseline, until another is chosen there. */
function Compare({ run }: { run: RunDetail }) {
  const [picking, setPicking] = useState(false);
  const navigate = useNavigate();
  useKeys({ c: () => setPicking(true) });
  useKeyHelp(KEYS);
  return (
    <>
      <Button title="With other runs (c)" onClick={() => setPicking(true)}>
        <GitCompareArrows aria-hidden="true" className="size-4" />
        Compare…
      </Button>
      {picking && (
        <RunPicker
          chosen={[run.id]}
          onClose={() => setPicking(false)}
          onDone={(ids) => {
            setPicking(false);
            const baseline = ids.includes(run.id) ? run.id : undefined;
            void navigate({
              to: "/compare",
              search: { runs: ids.join(",") || undefined, baseline },
            });
          }}
        />
      )}
    </>
  );
}

function Delete({ run }: { run: RunDetail }) {
  const [asked, setAsked] = useState(false);
  const navigate = useNavigate();
  const queries = useQueryClient();
  const leave = async () => {
    await navigate({ to: "/projects/$projectId/runs", params: { projectId: run.project_id } });
    queries.removeQueries({ queryKey: ["run", run.id] });
  };
  return (
    <>
      <IconButton label="Delete the run" className="size-8!" onClick={() => setAsked(true)}>
        <Trash2 className="size-4" />
      </IconButton>
      {asked && (
        <DeleteDialog run={run} onClose={() => setAsked(false)} onGone={() => void leave()} />
      )}
    </>
  );
}
