import { Link } from "@tanstack/react-router";
import { CircleStop, CopyPlus, X } from "lucide-react";
import { isCancellable, isStoppable, type RunSummary } from "../api/types";
import { IconButton } from "../components/ui";
import { useEndDialog } from "./EndRun";

export function RowActions({ run }: { run: RunSummary }) {
  const end = useEndDialog(run);
  return (
    <div className="flex items-center justify-end gap-0.5">
      {isStoppable(run) && (
        <IconButton tabIndex={-1} label={`Stop ${run.name}`} onClick={end.open}>
          <CircleStop className="size-4" />
        </IconButton>
      )}
      {isCancellable(run) && (
        <IconButton tabIndex={-1} label={`Cancel ${run.name}`} onClick={end.open}>
          <X className="size-4" />
        </IconButton>
      )}
      {run.kind === "training" && (
        <Link
          tabIndex={-1}
          to="/runs/new"
          search={{ from: run.id, project: run.project_id }}
          aria-label={`Clone ${run.name}`}
          title="Clone"
          className="inline-flex size-7 items-center justify-center rounded-control text-muted hover:bg-hover hover:text-ink"
        >
          <CopyPlus aria-hidden="true" className="size-4" />
        </Link>
      )}
      {end.dialog}
    </div>
  );
}
