import { useQuery } from "@tanstack/react-query";
import { FileJson, PackagePlus } from "lucide-react";
import { useState } from "react";
import type { RunDetail } from "../api/types";
import { Failure } from "../components/states";
import { Button, buttonClass, Skeleton } from "../components/ui";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { Card, Nothing } from "../run/cards";
import { ExportDialog } from "./ExportDialog";
import { ExportItem } from "./ExportItem";
import { bundleAddress, exportsQuery } from "./queries";
import { RunFiles } from "./RunFiles";

const KEYS = { title: "Artifacts", keys: [[["e"], "Export"]] } as const;

/** Everything that can be taken home of a run. */
export function ArtifactsTab({ run }: { run: RunDetail }) {
  if (run.kind !== "training") {
    return (
      <div className="px-4 py-4 md:px-6">
        <Card title="Artifacts">
          <Nothing>An evaluation has no weights of its own; see the run that it evaluates.</Nothing>
        </Card>
      </div>
    );
  }
  return <OfTraining run={run} />;
}

function OfTraining({ run }: { run: RunDetail }) {
  const [asking, setAsking] = useState(false);
  const { isPending } = useQuery(exportsQuery(run.id));
  useKeyHelp(KEYS);
  useKeys({ e: () => setAsking(true) });
  return (
    <div className="flex flex-col gap-4 px-4 py-4 md:px-6">
      <div className="flex flex-wrap items-center gap-2">
        <Button variant="primary" onClick={() => setAsking(true)}>
          <PackagePlus aria-hidden="true" className="size-4" />
          Export…
        </Button>
        <a href={bundleAddress(run.id)} download="" className={buttonClass("secondary")}>
          <FileJson aria-hidden="true" className="size-4" />
          Reproduction bundle
        </a>
        <span className="text-muted text-sm">
          Configuration, versions, seeds, data hash and results as one file; importing it under
          Artifacts starts the same run.
        </span>
      </div>
      <div className="grid items-start gap-4 xl:grid-cols-[3fr_2fr]">
        <Exports runId={run.id} />
        {/* Once what is above it has its height, it does not move. */}
        {!isPending && <RunFiles run={run} />}
      </div>
      {asking && <ExportDialog runId={run.id} onClose={() => setAsking(false)} />}
    </div>
  );
}

function Exports({ runId }: { runId: string }) {
  const list = useQuery(exportsQuery(runId));
  if (list.error && !list.data) {
    return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  }
  return (
    <Card title="Exports">
      {!list.data && <Skeleton className="m-3 h-24" />}
      {list.data?.items.length === 0 && (
        <Nothing>
          None yet. An export is made by a worker, which loads it and asks it one prompt before you
          get it.
        </Nothing>
      )}
      {list.data && list.data.items.length > 0 && (
        <ul aria-label="Exports of this run">
          {list.data.items.map((one) => (
            <ExportItem key={one.id} one={one} />
          ))}
        </ul>
      )}
    </Card>
  );
}
