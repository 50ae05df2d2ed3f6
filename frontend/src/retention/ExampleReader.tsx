import { useQuery } from "@tanstack/react-query";
import { ArrowLeft, ChevronLeft, ChevronRight } from "lucide-react";
import { Failure } from "../components/states";
import { Button, IconButton, Skeleton } from "../components/ui";
import { integer, number } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import type { RunSearch } from "../searches";
import { Answers } from "./Answers";
import { quadrantOf } from "./ExampleTable";
import { Mark } from "./Quarters";
import { LOOKS } from "./quadrants";
import { type Example, exampleQuery, type ResultName, rowsQuery } from "./queries";
import { rowsOf } from "./rows";

export interface ReaderProps {
  result: ResultName;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

const KEYS = {
  title: "Example",
  keys: [
    [["←", "→"], "Previous, next token"],
    [["d"], "Next token by the coloured quantity"],
    [["Shift", "D"], "Previous one"],
    [["s"], "The other answer"],
    [["j"], "Next example of the list"],
    [["k"], "Previous one"],
    [["Esc"], "Back to all examples"],
  ],
} as const;

/** One example: what base and model answered, side by side, token by token. */
export function ExampleReader({ result, search, onSearch }: ReaderProps) {
  const index = search.example ?? 0;
  const sample = search.sample ?? 0;
  const found = useQuery(exampleQuery(result, index, sample));
  const rows = useQuery(rowsQuery(result, rowsOf(search)));
  const items = rows.data?.items ?? [];
  const at = items.findIndex((one) => one.index === index && one.sample === sample);
  const go = (item: Example | undefined) => {
    if (item) onSearch({ example: item.index, sample: item.sample || undefined, token: undefined });
  };
  const [before, after] = at < 0 ? [undefined, undefined] : [items[at - 1], items[at + 1]];
  const back = () => onSearch({ example: undefined, sample: undefined, token: undefined }, true);
  useKeys({ Escape: back, j: () => go(after), k: () => go(before) });
  useKeyHelp(KEYS);
  return (
    <div className="flex flex-col gap-4 px-4 py-4 md:px-6">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <Button small onClick={back}>
          <ArrowLeft aria-hidden="true" className="size-3.5" />
          All examples
        </Button>
        <span className="flex items-center gap-0.5">
          <IconButton label="Previous example" disabled={!before} onClick={() => go(before)}>
            <ChevronLeft className="size-4" />
          </IconButton>
          <IconButton label="Next example" disabled={!after} onClick={() => go(after)}>
            <ChevronRight className="size-4" />
          </IconButton>
        </span>
        {found.data && <Facts item={found.data} />}
      </div>
      {found.error && !found.data && (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      )}
      {!found.data && !found.error && <Skeleton className="h-96" />}
      {found.data && (
        <Answers key={`${index} ${sample}`} item={found.data} search={search} onSearch={onSearch} />
      )}
      {found.data && <Texts item={found.data} />}
    </div>
  );
}

function Facts({ item }: { item: Example }) {
  const quadrant = quadrantOf(item);
  return (
    <p className="flex flex-wrap items-center gap-x-4 gap-y-1 text-muted tabular-nums">
      <span className="font-medium text-ink">
        Example {integer(item.index + 1)}
        {item.sample > 0 && `, answer ${integer(item.sample + 1)}`}
      </span>
      {quadrant && (
        <span className="inline-flex items-center gap-1.5">
          <Mark quadrant={quadrant} />
          {LOOKS[quadrant].label}
        </span>
      )}
      <span>record {item.id}</span>
    </p>
  );
}

/** Question and reference, and how well that fits both. */
function Texts({ item }: { item: Example }) {
  const gold = item.retention?.gold;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Text title="Prompt" text={item.prompt} />
      <Text
        title="Reference"
        text={item.reference}
        note={
          gold
            ? `perplexity ${number(Math.exp(-gold.base_logprob), 4)} under the base, ${number(Math.exp(-gold.tuned_logprob), 4)} under the model · JSD ${number(gold.jsd, 3)}`
            : ""
        }
      />
    </div>
  );
}

function Text({ title, text, note = "" }: { title: string; text: string; note?: string }) {
  return (
    <section className="panel min-w-0 overflow-hidden">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 border-line border-b bg-sunken px-3 py-1.5">
        <h2 className="font-medium">{title}</h2>
        <span className="text-faint text-sm tabular-nums">{note}</span>
      </div>
      <p
        tabIndex={0}
        className="max-h-80 overflow-y-auto whitespace-pre-wrap break-words p-3 focus-visible:outline-offset-[-2px]"
      >
        {text}
      </p>
    </section>
  );
}
