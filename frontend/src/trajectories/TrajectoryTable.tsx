import { ArrowDown, ArrowUp, Pin } from "lucide-react";
import type { TrajectorySummary } from "../api/types";
import type { SummaryField, TrajectorySort } from "./search";
import { nextSort, type Summary } from "./summaries";

interface TrajectoryTableProps {
  items: TrajectorySummary[];
  columns: readonly Summary[];
  attempts: number;
  sort: TrajectorySort;
  onSort: (sort: TrajectorySort) => void;
  onOpen: (item: TrajectorySummary) => void;
}

const HEAD = "h-9 px-2.5 font-normal";

export function TrajectoryTable(props: TrajectoryTableProps) {
  const { items, attempts, sort, onSort, onOpen } = props;
  // The text stands by the step, where it is in sight however many numbers there are.
  const [first, ...rest] = props.columns;
  return (
    <div className="overflow-x-auto border-line border-t bg-surface">
      <table className="w-full min-w-max border-collapse text-left">
        <thead>
          <tr className="border-line border-b">
            {first && (
              <Head
                {...first}
                className={`${first.width} pl-4 md:pl-6`}
                sort={sort}
                onSort={onSort}
              />
            )}
            <th scope="col" className={`${HEAD} eyebrow`}>
              Completion
            </th>
            {rest.map((column) => (
              <Head
                key={column.id}
                {...column}
                className={`${column.width} text-right`}
                sort={sort}
                onSort={onSort}
              />
            ))}
            <th scope="col" className={`${HEAD} eyebrow`}>
              Prompt
            </th>
            <Head
              id="record_id"
              label="Record"
              title="The data record"
              className="pr-6"
              sort={sort}
              onSort={onSort}
            />
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr
              key={item.id}
              data-testid="trajectory-row"
              onClick={() => onOpen(item)}
              className="cursor-pointer border-line border-b align-top transition-colors focus-within:bg-accent-soft hover:bg-hover"
            >
              {first && (
                <td className="py-2 pr-2.5 pl-4 md:pl-6">
                  <Opener item={item} text={first.text(item)} onOpen={onOpen} />
                  {attempts > 1 && <div className="text-faint text-xs">attempt {item.attempt}</div>}
                </td>
              )}
              <td className="min-w-56 max-w-xs px-2.5 py-2">
                <Excerpt text={item.completion} />
              </td>
              {rest.map((column) => (
                <td key={column.id} className="px-2.5 py-2 text-right tabular-nums">
                  <span className={tone(column.id, item)}>{column.text(item)}</span>
                  {column.id === "tokens" && item.truncated && (
                    <div className="text-warn text-xs">truncated</div>
                  )}
                </td>
              ))}
              <td className="min-w-56 max-w-sm px-2.5 py-2 text-muted">
                <Excerpt text={item.prompt} />
              </td>
              <td className="max-w-40 truncate py-2 pr-6 pl-2.5 text-muted" title={item.record_id}>
                {item.record_id}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const tone = (id: SummaryField, item: TrajectorySummary): string | undefined =>
  id !== "grade" || item.grade === null ? undefined : item.grade >= 1 ? "text-ok" : "text-bad";

interface OpenerProps {
  item: TrajectorySummary;
  text: string;
  onOpen: (item: TrajectorySummary) => void;
}

/** The row's button: `j` and `k` go from one to the next. */
function Opener({ item, text, onOpen }: OpenerProps) {
  return (
    <button
      type="button"
      data-opens={item.id}
      aria-label={`Open the rollout of step ${text}, record ${item.record_id}`}
      onClick={(event) => {
        event.stopPropagation();
        onOpen(item);
      }}
      className="inline-flex items-center gap-1.5 font-medium tabular-nums hover:text-accent-text"
    >
      {text}
      {item.pinned && <Pin aria-label="pinned" className="size-3 text-accent-text" />}
    </button>
  );
}

interface HeadProps {
  id: SummaryField;
  label: string;
  title: string;
  className: string;
  sort: TrajectorySort;
  onSort: (sort: TrajectorySort) => void;
}

function Head({ id, label, title, className, sort, onSort }: HeadProps) {
  const up = sort === id;
  const down = sort === `-${id}`;
  const Mark = down ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={up ? "ascending" : down ? "descending" : undefined}
      className={`${HEAD} ${className}`}
    >
      <button
        type="button"
        title={`${title}. Press to sort.`}
        onClick={() => onSort(nextSort(id, sort))}
        className="eyebrow inline-flex items-center gap-1 whitespace-nowrap hover:text-ink"
      >
        {label}
        {(up || down) && <Mark aria-hidden="true" className="size-3 shrink-0" />}
      </button>
    </th>
  );
}

const Excerpt = ({ text }: { text: string }) => (
  <span className="line-clamp-2 break-words">
    {text.trim() || <i className="text-faint">empty</i>}
  </span>
);
