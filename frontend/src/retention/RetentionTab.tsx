import { useQuery } from "@tanstack/react-query";
import { isActive, type RunDetail } from "../api/types";
import { Empty, Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import type { RunSearch } from "../searches";
import { Checkpoints } from "./Checkpoints";
import { EvaluateButton } from "./EvaluateButton";
import { ExampleReader } from "./ExampleReader";
import {
  type EvaluatedWeights,
  type RetentionCurve,
  resultOf,
  retentionCurveQuery,
} from "./queries";
import { ResultView } from "./ResultView";

export interface RetentionProps {
  run: RunDetail;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

/** What the run's model has kept of its base, and what it gained: over time, and on each example. */
export function RetentionTab({ run, search, onSearch }: RetentionProps) {
  const curve = useQuery(retentionCurveQuery(run.id, isActive(run.status)));
  if (curve.error && !curve.data) {
    return <Failure error={curve.error} onRetry={() => void curve.refetch()} />;
  }
  if (!curve.data) return <Skeleton className="m-6 h-64" />;
  const { items } = curve.data;
  const chosen = items.find((item) => item.name === search.result) ?? latest(items);
  if (search.example !== undefined && chosen) {
    return <ExampleReader result={resultOf(chosen.name)} search={search} onSearch={onSearch} />;
  }
  if (items.length === 0) return <NothingAsked run={run} curve={curve.data} />;
  return (
    <div className="flex flex-col gap-4 px-4 py-4 md:px-6">
      <Checkpoints
        run={run}
        curve={curve.data}
        chosen={chosen}
        search={search}
        onSearch={onSearch}
      />
      {chosen && chosen.jsd === null && <NotCompared run={run} curve={curve.data} />}
      {chosen && chosen.jsd !== null && (
        <ResultView
          key={chosen.name}
          result={chosen}
          items={items}
          search={search}
          onSearch={onSearch}
        />
      )}
    </div>
  );
}

/** The newest result that was compared with the base; of equals the one of most steps. */
function latest(items: readonly EvaluatedWeights[]): EvaluatedWeights | undefined {
  const measured = items.filter((item) => item.jsd !== null);
  const trained = measured.filter((item) => item.weights !== "base");
  return (
    [...(trained.length ? trained : measured)].sort((a, b) => a.time - b.time).at(-1) ??
    items.at(-1)
  );
}

function NothingAsked({ run, curve }: { run: RunDetail; curve: RetentionCurve }) {
  if (run.kind !== "training" || curve.pending.length > 0 || isActive(run.status)) {
    return (
      <Empty title="No result yet">
        {isActive(run.status) || curve.pending.length > 0
          ? "Figures appear here when all questions of a set are answered and compared with the base."
          : "It ended before all questions of a set were answered."}
      </Empty>
    );
  }
  return (
    <Empty title="Nothing was asked yet" action={<EvaluateButton run={run} curve={curve} />}>
      Ask the run's checkpoints questions, to see what they gained and what they have kept of their
      base.
    </Empty>
  );
}

function NotCompared({ run, curve }: { run: RunDetail; curve: RetentionCurve }) {
  return (
    <Empty
      title="Not compared with the base"
      action={run.kind === "training" && <EvaluateButton run={run} curve={curve} />}
    >
      This evaluation only graded the answers. Evaluate again with{" "}
      <code className="font-mono text-sm">retention: true</code> to see what was kept.
    </Empty>
  );
}
