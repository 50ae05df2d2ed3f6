import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Plus, Printer } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { comparisonQuery } from "../api/comparisons";
import type { RunComparison } from "../api/types";
import { Empty, Failure, Notice } from "../components/states";
import { Button } from "../components/ui";
import { plural } from "../lib/format";
import { useKeys, useTitle } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import type { CompareSearch } from "../searches";
import { Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { ConfigSection } from "./ConfigSection";
import { CurvesSection } from "./CurvesSection";
import { EvaluationsSection } from "./EvaluationsSection";
import { MetricsSection } from "./MetricsSection";
import { RunBar } from "./RunBar";
import { RunPicker } from "./RunPicker";
import { chosen, idsOf, MOST_RUNS } from "./selection";

export type OnSearch = (change: Partial<CompareSearch>, push?: boolean) => void;

const KEYS = { title: "Compare", keys: [[["a"], "Choose runs"]] } as const;

/** Runs against a baseline: curves, results, metrics and what they were made with. */
export function ComparePage() {
  const search: CompareSearch = useSearch({ from: "/compare" });
  const navigate = useNavigate({ from: "/compare" });
  const [picking, setPicking] = useState(false);
  const onSearch: OnSearch = useCallback(
    (change, push = false) =>
      void navigate({
        to: ".",
        search: (old) => ({ ...old, ...change }),
        replace: !push,
        resetScroll: false,
      }),
    [navigate],
  );
  useKeys({ a: () => setPicking(true) });
  useKeyHelp(KEYS);
  const ids = useMemo(() => idsOf(search.runs), [search.runs]);
  useTitle(ids.length ? `Compare ${plural(ids.length, "run")}` : "Compare");
  return (
    <Page
      crumbs={[{ label: "Compare" }]}
      actions={
        ids.length > 0 && (
          <>
            <Button className="print:hidden" onClick={() => window.print()}>
              <Printer aria-hidden="true" className="size-4 text-muted" />
              Print report
            </Button>
            <Button className="print:hidden" variant="primary" onClick={() => setPicking(true)}>
              <Plus aria-hidden="true" className="size-4" />
              Choose runs
            </Button>
          </>
        )
      }
    >
      {ids.length === 0 ? (
        <NothingChosen onChoose={() => setPicking(true)} />
      ) : (
        <Compared ids={ids} search={search} onSearch={onSearch} onChoose={() => setPicking(true)} />
      )}
      {picking && (
        <RunPicker
          chosen={ids}
          onClose={() => setPicking(false)}
          onDone={(next) => {
            setPicking(false);
            onSearch(chosen(search, next), true);
          }}
        />
      )}
    </Page>
  );
}

function NothingChosen({ onChoose }: { onChoose: () => void }) {
  return (
    <Empty
      title="Put runs side by side"
      action={
        <Button variant="primary" onClick={onChoose}>
          Choose runs
        </Button>
      }
    >
      Choose two or more runs and a baseline. You see their curves over each other, what differs in
      their configurations, and how far each is from the baseline, with intervals where seeds or
      common questions allow them. Runs that differ only in their seed are taken together.
    </Empty>
  );
}

interface ComparedProps {
  ids: string[];
  search: CompareSearch;
  onSearch: OnSearch;
  onChoose: () => void;
}

function Compared({ ids, search, onSearch, onChoose }: ComparedProps) {
  const run = useMemo(() => ids.slice(0, MOST_RUNS), [ids]);
  const apart = search.seeds === "apart";
  const baseline = search.baseline && run.includes(search.baseline) ? search.baseline : undefined;
  const found = useQuery(
    comparisonQuery({
      run,
      seeds: !apart,
      ...(baseline ? { baseline } : {}),
      ...(search.value ? { statistic: search.value } : {}),
    }),
  );
  if (found.error && !found.data) {
    return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <PageSkeleton />;
  const comparison = found.data;
  if (comparison.columns.length === 0) {
    return (
      <Empty title="These runs are gone" action={<Button onClick={onChoose}>Choose runs</Button>}>
        {plural(ids.length, "run")} of this link {ids.length === 1 ? "does" : "do"} not exist any
        more.
      </Empty>
    );
  }
  const part = { comparison, search, onSearch };
  return (
    <div className="flex flex-col gap-8 px-4 py-4 md:px-6">
      <div className="flex flex-col gap-3">
        <Remarks comparison={comparison} given={ids.length} />
        <RunBar {...part} />
      </div>
      <CurvesSection {...part} query={{ run, ...(baseline ? { baseline } : {}), seeds: !apart }} />
      <EvaluationsSection comparison={comparison} />
      <MetricsSection {...part} />
      <ConfigSection {...part} />
    </div>
  );
}

/** What one must know before one believes the figures. */
function Remarks({ comparison, given }: { comparison: RunComparison; given: number }) {
  const runs = comparison.columns.flatMap((column) => column.runs);
  const steps = new Set(runs.filter((one) => one.kind === "training").map((one) => one.step));
  return (
    <>
      {given > MOST_RUNS && (
        <Notice tone="warn" title={`Only the first ${MOST_RUNS} runs of ${given} are compared`} />
      )}
      {comparison.missing.length > 0 && (
        <Notice
          tone="warn"
          title={`${plural(comparison.missing.length, "run")} of this link ${comparison.missing.length === 1 ? "does" : "do"} not exist any more`}
        >
          <p className="text-muted">{comparison.missing.join(", ")}</p>
        </Notice>
      )}
      {steps.size > 1 && (
        <Notice tone="warn" title="The runs are at different steps">
          <p className="text-muted">
            Last values of the tables are those after{" "}
            {[...steps]
              .sort((a, b) => a - b)
              .map((step) => step.toLocaleString("en-US"))
              .join(", ")}{" "}
            steps. The curves compare like with like.
          </p>
        </Notice>
      )}
    </>
  );
}
