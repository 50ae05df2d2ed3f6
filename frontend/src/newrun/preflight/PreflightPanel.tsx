import { Failure } from "../../components/states";
import { Skeleton } from "../../components/ui";
import type { NewRunSearch } from "../../searches";
import type { PreflightState } from "../useValidation";
import { DataPart } from "./DataPart";
import { MakingPart } from "./MakingPart";
import { PromptsPart } from "./PromptsPart";
import { ViewsPart } from "./ViewsPart";
import { WorkersPart } from "./WorkersPart";

export const PREFLIGHT_ID = "preflight";
export const UNFINISHED = "Shows here once everything that is needed is filled in.";

interface PreflightPanelProps {
  state: PreflightState;
  search: NewRunSearch;
  /** Runs that are queued at once; what is said is of the first settings. */
  runs: number;
  onSearch: (next: Partial<NewRunSearch>) => void;
}

/** What can be known before the start, from the server. */
export function PreflightPanel({ state, search, runs, onSearch }: PreflightPanelProps) {
  const { data, error, stale, unfinished } = state;
  return (
    <section
      id={PREFLIGHT_ID}
      aria-labelledby="preflight-title"
      aria-busy={stale}
      className="panel scroll-mt-16"
    >
      <header className="flex items-baseline justify-between gap-4 border-line border-b px-4 py-3">
        <div>
          <h2 id="preflight-title" className="font-semibold text-lg">
            Preflight
          </h2>
          <p className="text-muted text-sm">
            What the run will meet, looked at by the server; nothing is guessed.
            {runs > 1 && " Of the settings above, before what is tried in several values."}
          </p>
        </div>
        <span role="status" className="shrink-0 text-faint text-sm">
          {stale ? "Looking…" : ""}
        </span>
      </header>
      {unfinished && !data ? (
        <p className="px-4 py-3 text-muted">{UNFINISHED}</p>
      ) : error && !data ? (
        <Failure error={error} />
      ) : !data ? (
        <div role="status" aria-label="Looking at data, model and workers" className="p-4">
          <Skeleton className="h-64" />
        </div>
      ) : (
        <div className={`divide-y divide-line transition-opacity ${stale ? "opacity-60" : ""}`}>
          {data.data && <DataPart data={data.data} />}
          {data.prompts && <PromptsPart prompts={data.prompts} />}
          {data.example && (
            <ViewsPart
              example={data.example}
              model={data.model}
              search={search}
              onSearch={onSearch}
            />
          )}
          {!data.data && (
            <p className="px-4 py-3 text-muted">
              Columns, prompts and teacher views show here once the data can be read.
            </p>
          )}
          {data.model.problem && <p className="px-4 py-3 text-warn">{data.model.problem}</p>}
          {data.making.length > 0 && <MakingPart making={data.making} />}
          <WorkersPart found={data} />
        </div>
      )}
    </section>
  );
}
