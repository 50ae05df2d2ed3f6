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
import { Followed } from "./Followed";
import { TokenReader } from "./TokenReader";
import type { TrajectoriesProps } from "./TrajectoriesTab";

/** One recorded rollout: its texts, its tokens and both views of the prompt. */
const KEYS = {
  title: "Trajectory",
  keys: [
    [["←", "→"], "Previous, next token"],
    [["d"], "Next token by the coloured quantity"],
    [["Shift", "D"], "Previous one"],
    [["Esc"], "Back to the list"],
  ],
} as const;

export function Reader({ run, search, onSearch }: TrajectoriesProps) {
  const id = search.trajectory ?? 0;
  const { data, error, refetch } = useQuery(trajectoryQuery(run.id, id));
  const back = () => onSearch({ trajectory: undefined, token: undefined }, true);
  useKeys({ Escape: back });
  useKeyHelp(KEYS);
  return (
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
            by={search.by ?? "divergence"}
            token={search.token ?? null}
            onSearch={onSearch}
          >
            <div className="grid items-start gap-4 xl:grid-cols-2">
              <Text title="Prompt" text={data.prompt} />
              <Text title="Reference" text={data.reference} />
            </div>
            <Rendered item={data} />
          </TokenReader>
        </>
      )}
    </div>
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

/** The prompt of every view that the loss looks through. */
function promptsOf(item: TrajectoryDetail): (readonly [title: string, text: string])[] {
  const taught = item.token_values.some((token) => token.teacher_logprob !== null);
  const views: [string, string | null][] = [
    ["Student's", item.student_prompt],
    ["Teacher's", taught ? item.teacher_prompt : null],
    ...item.auxiliary_prompts.map((text, i): [string, string] => [
      `Auxiliary teacher ${i + 1}'s`,
      text,
    ]),
    ["Negative teacher's", item.negative_prompt],
  ];
  return views.flatMap(([whose, text]) =>
    text === null ? [] : [[`${whose} prompt, as rendered`, text] as const],
  );
}

/** The prompts as the model got them, special tokens and all. */
function Rendered({ item }: { item: TrajectoryDetail }) {
  const panes = promptsOf(item);
  return (
    <div className="flex flex-col gap-4">
      {panes.map(([title, text]) => (
        <details key={title} className="panel min-w-0 overflow-hidden">
          <summary className="flex items-center justify-between px-3 py-2 font-medium hover:bg-hover">
            {title}
            <span className="font-normal text-faint text-sm">
              {integer(text.length)} characters
            </span>
          </summary>
          <div className="relative border-line border-t">
            <div className="absolute top-1.5 right-1.5">
              <Copy compact text={text} label={`Copy: ${title}`} />
            </div>
            <pre className="max-h-[480px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm">
              {text}
            </pre>
          </div>
        </details>
      ))}
    </div>
  );
}
