import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { RunDetail } from "../api/types";
import { isActive } from "../api/types";
import { Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { bytes, integer } from "../lib/format";
import { Card, Nothing } from "../run/cards";
import { type FileSet, fileAddress, runFilesQuery } from "./queries";

/** The adapters and checkpoints that the run itself wrote, file by file. */
export function RunFiles({ run }: { run: RunDetail }) {
  const files = useQuery(runFilesQuery(run.id, isActive(run.status)));
  if (files.error && !files.data) {
    return <Failure error={files.error} onRetry={() => void files.refetch()} />;
  }
  return (
    <Card title="Files of the run">
      {!files.data && <Skeleton className="m-3 h-24" />}
      {files.data?.items.length === 0 && (
        <Nothing>None yet. The adapter is written when the run ends or is stopped.</Nothing>
      )}
      {files.data?.items.map((set) => (
        <Folder key={`${set.attempt}/${set.kind}/${set.step}`} runId={run.id} set={set} />
      ))}
      {files.data && files.data.run_bytes > 0 && (
        <p className="bg-sunken px-3 py-2 text-muted text-sm">
          All files of the run take {bytes(files.data.run_bytes)}, its exports{" "}
          {bytes(files.data.export_bytes)}.
        </p>
      )}
    </Card>
  );
}

function titleOf(set: FileSet): string {
  if (set.kind === "checkpoint") return `Checkpoint after step ${integer(set.step)}`;
  return set.kind === "adapter" ? "Adapter" : "EMA adapter";
}

function Folder({ runId, set }: { runId: string; set: FileSet }) {
  return (
    <details className="border-line border-b last:border-b-0">
      <summary className="px-3 py-2 hover:bg-hover">
        <span className="font-medium">{titleOf(set)}</span>
        <span className="ml-3 text-faint text-sm">
          attempt {set.attempt} · {bytes(set.bytes)}
        </span>
      </summary>
      {set.kind !== "ema_adapter" && (
        <Link
          to="/side-by-side"
          search={{ runs: runId, ...(set.step ? { checkpoint: set.step } : {}) }}
          className="mx-3 mb-1 inline-block text-accent-text text-sm hover:underline"
        >
          Ask it side by side with its base
        </Link>
      )}
      <ul className="px-3 pb-2 text-sm">
        {set.files.map((file) => (
          <li key={file.path} className="flex items-baseline justify-between gap-4 py-0.5">
            <a
              href={fileAddress(runId, file.path)}
              download=""
              className="min-w-0 break-all font-mono text-accent-text hover:underline"
            >
              {file.path.split("/").at(-1)}
            </a>
            <span className="shrink-0 text-muted tabular-nums">{bytes(file.bytes)}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
