import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, Columns3, X } from "lucide-react";
import { useId } from "react";
import { examplesQuery } from "../api/queries";
import type { Evaluation, EvaluationExample, RunDetail } from "../api/types";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { buttonClass, Segmented, Skeleton } from "../components/ui";
import { integer, number, plural } from "../lib/format";
import { EXAMPLE_SORTS, type ExampleSort, type RunSearch } from "../searches";
import type { SideBySideSearch } from "../sidebyside/searches";
import { JsdStrip } from "./JsdStrip";

const PAGE_SIZE = 50;

const SORTS: Record<ExampleSort, string> = {
  index: "In their order",
  "-jsd": "Farthest from the base first",
  jsd: "Nearest to the base first",
  base_logprob: "Least natural to the base first",
  "-tokens": "Longest first",
};

interface ExampleListProps {
  run: RunDetail;
  evaluation: Evaluation;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

/** Every answer of one evaluation; a row opens to the whole prompt and the comparison. */
export function ExampleList({ run, evaluation, search, onSearch }: ExampleListProps) {
  const page = search.page ?? 1;
  const sort = search.order ?? "index";
  const list = useQuery(
    examplesQuery(run.id, evaluation.cursor, {
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      sort,
      ...(search.grade === "right" ? { correct: true } : {}),
      ...(search.grade === "wrong" ? { correct: false } : {}),
      ...(search.grade === "regressed" ? { regressed: true } : {}),
      ...(search.q ? { q: search.q } : {}),
    }),
  );
  const compared = list.data?.items.some((item) => item.retention !== null) ?? false;
  return (
    <section aria-label={`Answers to ${evaluation.set}`} className="flex min-h-0 flex-col">
      <div className="flex flex-wrap items-center gap-3 px-4 py-2.5 md:px-6">
        <NameSearch
          label="Search questions and answers"
          placeholder="Search the texts"
          value={search.q ?? ""}
          onChange={(q) => onSearch({ q: q || undefined, page: undefined })}
        />
        <Segmented
          label="Which answers"
          value={search.grade ?? "all"}
          options={[
            { value: "all", label: "All" },
            { value: "right", label: "Right" },
            { value: "wrong", label: "Wrong" },
            {
              value: "regressed",
              label: "Regressed",
              title: "The base was right, the model is not",
            },
          ]}
          onChange={(grade) =>
            onSearch({ grade: grade === "all" ? undefined : grade, page: undefined })
          }
        />
        <select
          aria-label="Order"
          value={sort}
          onChange={(event) => {
            const next = EXAMPLE_SORTS.find((item) => item === event.target.value);
            onSearch({ order: next === "index" ? undefined : next, page: undefined });
          }}
          className="control"
        >
          {EXAMPLE_SORTS.map((item) => (
            <option key={item} value={item}>
              {SORTS[item]}
            </option>
          ))}
        </select>
        {compared && (
          <Link to="/runs/$runId" params={{ runId: run.id }} search={retention(run, evaluation)}>
            <span className="text-accent-text text-sm hover:underline">Retention</span>
          </Link>
        )}
        <span className="ml-auto text-faint text-sm" aria-live="polite">
          {list.data && plural(list.data.total, "answer", "answers")}
        </span>
      </div>
      {list.error && !list.data && (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      )}
      {!list.data && !list.error && <Skeleton className="mx-6 h-64" />}
      {list.data?.total === 0 && <Empty title="No answer matches">Loosen the filter.</Empty>}
      {list.data && list.data.total > 0 && (
        <ul className="border-line border-t bg-surface">
          {list.data.items.map((item) => (
            <Item
              key={`${item.index} ${item.sample}`}
              item={item}
              search={{
                runs: modelOf(run),
                evaluation: `${run.id}:${evaluation.cursor}`,
                question: item.index,
              }}
              compared={compared}
              open={search.example === item.index}
              onToggle={() =>
                onSearch({ example: search.example === item.index ? undefined : item.index })
              }
            />
          ))}
        </ul>
      )}
      {list.data && list.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={list.data.total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </section>
  );
}

/** The run whose model was asked; undefined where it is none of the studio's. */
function modelOf(run: RunDetail): string | undefined {
  if (run.kind === "training") return run.id;
  const folder = "adapter" in run.config ? run.config.adapter : null;
  return /\/runs\/([0-9a-z]{12})\//.exec(folder ?? "")?.[1];
}

/** Where the same result is beside its base. */
const retention = (run: RunDetail, evaluation: Evaluation) => ({
  tab: "retention" as const,
  result: `${run.id}:${evaluation.cursor}`,
});

interface ItemProps {
  item: EvaluationExample;
  search: SideBySideSearch;
  compared: boolean;
  open: boolean;
  onToggle: () => void;
}

function Item({ item, search, compared, open, onToggle }: ItemProps) {
  const id = useId();
  const forward = item.retention?.forward;
  return (
    <li className="border-line border-b" data-testid="example">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={id}
        onClick={onToggle}
        className="grid w-full grid-cols-[auto_minmax(0,2fr)_minmax(0,3fr)_auto] items-center gap-3 px-4 py-2 text-left hover:bg-hover md:px-6"
      >
        <Verdict item={item} />
        <span className="truncate text-muted">{item.reference}</span>
        <span className="truncate">
          {item.answer.trim() || <i className="text-faint">empty</i>}
        </span>
        <span className="text-right text-muted text-sm tabular-nums">
          {compared && `JSD ${number(forward?.jsd, 3)} · `}
          {integer(item.tokens)} tokens
        </span>
      </button>
      {open && (
        <div id={id} className="grid gap-4 px-4 pt-1 pb-4 md:px-6 xl:grid-cols-2">
          <Text title="Prompt" text={item.prompt} />
          <div className="flex flex-col gap-4">
            <Link to="/side-by-side" search={search} className={`${buttonClass()} self-start`}>
              <Columns3 aria-hidden="true" className="size-4" />
              Open in side by side
            </Link>
            {forward?.pieces ? (
              <JsdStrip title="Answer, by distance from the base" strip={forward} />
            ) : (
              <Text title="Answer" text={item.answer} />
            )}
            {item.retention?.reverse?.pieces && (
              <JsdStrip
                title={`The base's answer (${item.retention.base_correct ? "right" : "wrong"})`}
                strip={item.retention.reverse}
              />
            )}
            <Text title="Reference" text={item.reference} />
            {item.detail && <Text title="Grader" text={JSON.stringify(item.detail, null, 2)} />}
          </div>
        </div>
      )}
    </li>
  );
}

function Verdict({ item }: { item: EvaluationExample }) {
  const Icon = item.correct ? Check : X;
  return (
    <span
      className={`inline-flex w-24 items-center whitespace-nowrap gap-1.5 ${item.correct ? "text-ok" : "text-bad"}`}
    >
      <Icon aria-hidden="true" className="size-4 shrink-0" />
      {item.correct ? "right" : item.extracted === null ? "no answer" : "wrong"}
    </span>
  );
}

function Text({ title, text }: { title: string; text: string }) {
  return (
    <div className="min-w-0">
      <h3 className="eyebrow mb-1">{title}</h3>
      <pre className="max-h-96 overflow-auto whitespace-pre-wrap break-words rounded-control bg-sunken p-2 font-mono text-sm">
        {text}
      </pre>
    </div>
  );
}
