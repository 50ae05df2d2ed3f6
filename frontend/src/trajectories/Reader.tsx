import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, Pin } from "lucide-react";
import { trajectoryQuery } from "../api/queries";
import type { TrajectoryDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { Failure } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { integer, number } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { CursorProvider } from "./cursor";
import { Followed } from "./Followed";
import { Prompts } from "./Prompts";
import { TokenReader } from "./TokenReader";
import type { TrajectoriesProps } from "./TrajectoriesTab";
import { useTokenCursor, useWhatIf } from "./useReader";

const KEYS = {
  title: "Trajectory",
  keys: [
    [["←", "→"], "Previous, next token"],
    [["Home", "End"], "First, last token, in the text or the map"],
    [["d"], "Next token by the coloured quantity"],
    [["Shift", "D"], "The one before it"],
    [["v"], "Next most divergent token"],
    [["a"], "Next most disagreed token"],
    [["[", "]"], "The same pinned example a recording earlier, later"],
    [["Esc"], "Back to the list"],
  ],
} as const;

/** One recorded rollout: its texts, its tokens, all views of it and other settings of the loss. */
export function Reader({ run, search, onSearch }: TrajectoriesProps) {
  const id = search.trajectory ?? 0;
  const { data, error, refetch } = useQuery(trajectoryQuery(run.id, id));
  const cursor = useTokenCursor(search.token, onSearch);
  const whatIf = useWhatIf(run.config, search.whatif, onSearch);
  const back = () =>
    onSearch(
      { trajectory: undefined, token: undefined, whatif: undefined, prompts: undefined },
      true,
    );
  useKeys({ Escape: back });
  useKeyHelp(KEYS);
  return (
    <CursorProvider value={cursor}>
      <div className="flex flex-col gap-4 px-4 py-4 md:px-6">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <Button small onClick={back}>
            <ArrowLeft aria-hidden="true" className="size-3.5" />
            All trajectories
          </Button>
          {data && <Facts item={data} attempts={run.attempts.length} />}
        </div>
        {error && <Failure error={error} onRetry={() => void refetch()} />}
        {!data && !error && <Skeleton className="h-96" />}
        {data && (
          <>
            {data.pinned && <Followed run={run} item={data} onSearch={onSearch} />}
            <TokenReader
              key={data.id}
              item={data}
              whatIf={whatIf}
              search={search}
              onSearch={onSearch}
            >
              <div className="grid items-start gap-4 xl:grid-cols-2">
                <Text title="Prompt" text={data.prompt} />
                <Text title="Reference" text={data.reference} />
              </div>
              <Prompts item={data} search={search} onSearch={onSearch} />
            </TokenReader>
          </>
        )}
      </div>
    </CursorProvider>
  );
}

const SOURCES: Record<string, string> = {
  reference: "completion: the data's answer",
  presampled: "completion: sampled by the base model",
};

function Facts({ item, attempts }: { item: TrajectoryDetail; attempts: number }) {
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-muted tabular-nums">
      <span className="font-medium text-ink">Step {integer(item.step)}</span>
      {attempts > 1 && <span>attempt {item.attempt}</span>}
      <span>record {item.record_id}</span>
      {item.pinned && (
        <span className="inline-flex items-center gap-1 text-accent-text">
          <Pin aria-hidden="true" className="size-3" /> pinned
        </span>
      )}
      <span>{integer(item.tokens)} tokens</span>
      {item.source && item.source !== "rollout" && <span>{SOURCES[item.source]}</span>}
      {item.divergence !== null && <span>mean divergence {number(item.divergence, 3)} nats</span>}
      {item.grade !== null && (
        <span className={item.grade === 1 ? "text-ok" : "text-bad"}>
          {item.grade === 1 ? "right" : "wrong"}
          {item.extracted !== null && `: ${item.extracted}`}
        </span>
      )}
      {item.truncated && <span className="text-warn">truncated: no end token</span>}
    </p>
  );
}

function Text({ title, text }: { title: string; text: string }) {
  return (
    <section className="panel min-w-0 overflow-hidden">
      <div className="flex items-center justify-between border-line border-b bg-sunken py-1 pr-1.5 pl-3">
        <h2 className="font-medium">{title}</h2>
        <Copy compact text={text} label={`Copy the ${title.toLowerCase()}`} />
      </div>
      <p className="max-h-80 overflow-y-auto whitespace-pre-wrap break-words p-3">{text}</p>
    </section>
  );
}
