import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { evaluationsQuery } from "../api/queries";
import { type Evaluation, isActive, type RunDetail } from "../api/types";
import { Empty, Failure } from "../components/states";
import { buttonClass, Skeleton } from "../components/ui";
import { integer, number, percent, UNKNOWN } from "../lib/format";
import type { RunSearch } from "../searches";
import { ExampleList } from "./ExampleList";
import { dropped, figure, interval } from "./figures";

export interface EvaluationsProps {
  run: RunDetail;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

/** What the run's model could do and what it kept of its base, and every answer behind that. */
export function EvaluationsTab({ run, search, onSearch }: EvaluationsProps) {
  const list = useQuery(evaluationsQuery(run.id, isActive(run.status)));
  if (list.error && !list.data) {
    return <Failure error={list.error} onRetry={() => void list.refetch()} />;
  }
  if (!list.data) return <Skeleton className="m-6 h-64" />;
  const items = list.data.items;
  if (items.length === 0) return <NoEvaluations run={run} />;
  const open = items.find((item) => item.cursor === search.evaluation) ?? items.at(-1);
  return (
    <>
      <Summaries
        items={items}
        open={open}
        onOpen={(item) =>
          onSearch({ evaluation: item.cursor, example: undefined, page: undefined }, true)
        }
      />
      {open && <ExampleList run={run} evaluation={open} search={search} onSearch={onSearch} />}
    </>
  );
}

function NoEvaluations({ run }: { run: RunDetail }) {
  if (run.kind === "evaluation") {
    return (
      <Empty title="No result yet">
        {isActive(run.status)
          ? "A set's figures appear here when all of its questions are answered."
          : "It ended before all questions of a set were answered."}
      </Empty>
    );
  }
  return (
    <Empty
      title="No questions were asked"
      action={
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          search={{ tab: "retention" }}
          className={buttonClass("primary")}
        >
          Evaluate this one
        </Link>
      }
    >
      Name benchmarks under <code className="font-mono text-sm">evaluation.benchmarks</code> in the
      next run, or evaluate what this one has trained.
    </Empty>
  );
}

/** Shown only where a task has it. */
const PARTIAL = "Partial credit";
const COLUMNS = ["Step", "Right", "95 %", "Chance", "Extracted", PARTIAL, "Tokens", "JSD to base"];
const HEAD = "h-9 px-3 font-normal whitespace-nowrap";

function Summaries(props: {
  items: Evaluation[];
  open: Evaluation | undefined;
  onOpen: (item: Evaluation) => void;
}) {
  const partial = props.items.some((item) => figure(item, "partial") !== null);
  return (
    <div className="overflow-x-auto border-line border-b bg-surface">
      <table className="w-full border-collapse text-left">
        <thead>
          <tr className="eyebrow border-line border-b">
            <th scope="col" className={`${HEAD} pl-4 md:pl-6`}>
              Questions
            </th>
            {COLUMNS.filter((title) => title !== PARTIAL || partial).map((title) => (
              <th key={title} scope="col" className={`${HEAD} text-right`}>
                {title}
              </th>
            ))}
            <th scope="col" className={`${HEAD} pr-6 text-right`} title="Log-probability per token">
              Log p under base
            </th>
          </tr>
        </thead>
        <tbody>
          {props.items.map((item) => (
            <SummaryRow
              key={item.cursor}
              item={item}
              partial={partial}
              open={item === props.open}
              onOpen={() => props.onOpen(item)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SummaryRow(props: {
  item: Evaluation;
  partial: boolean;
  open: boolean;
  onOpen: () => void;
}) {
  const { item } = props;
  const cell = "px-3 py-2 text-right tabular-nums whitespace-nowrap";
  const left = dropped(item);
  return (
    <tr
      data-testid="evaluation-row"
      aria-current={props.open || undefined}
      onClick={props.onOpen}
      className="cursor-pointer border-line border-b transition-colors last:border-b-0 hover:bg-hover aria-[current]:bg-sunken"
    >
      <td className="py-2 pr-3 pl-4 md:pl-6">
        <button
          type="button"
          aria-pressed={props.open}
          onClick={(event) => {
            event.stopPropagation();
            props.onOpen();
          }}
          className="font-medium hover:text-accent-text"
        >
          {item.set}
        </button>
        <span className="ml-2 text-faint text-sm tabular-nums">
          {integer(figure(item, "questions"))}
          {left.map(([reason, count]) => ` · ${integer(count)} ${reason.replaceAll("_", " ")}`)}
        </span>
      </td>
      <td className={cell}>{integer(item.step)}</td>
      <td className={`${cell} font-medium`}>{percent(figure(item, "accuracy"))}</td>
      <td className={`${cell} text-muted`}>{interval(item, "accuracy") ?? UNKNOWN}</td>
      <td className={`${cell} text-muted`}>{percent(figure(item, "chance"))}</td>
      <td className={cell}>{percent(figure(item, "extracted"))}</td>
      {props.partial && (
        <td className={`${cell} text-muted`}>{percent(figure(item, "partial"))}</td>
      )}
      <td className={cell}>{number(figure(item, "tokens"), 3)}</td>
      <td className={cell}>{number(figure(item, "retention", "forward", "jsd", "mean"), 3)}</td>
      <td className={`${cell} pr-6`}>
        {number(figure(item, "retention", "forward", "base_logprob", "mean"), 3)}
      </td>
    </tr>
  );
}
