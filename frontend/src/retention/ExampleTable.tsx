import { ArrowDown, ArrowUp } from "lucide-react";
import type { ReactNode } from "react";
import { signed } from "../compare/figures";
import { integer, number } from "../lib/format";
import type { RetentionSort } from "../searches";
import { Mark } from "./Quarters";
import { LOOKS, type Quadrant } from "./quadrants";
import type { Example } from "./queries";

interface ExampleTableProps {
  items: readonly Example[];
  sort: RetentionSort;
  onSort: (sort: RetentionSort) => void;
  onOpen: (item: Example) => void;
}

interface Column {
  key: string;
  title: string;
  help: string;
  /** What the column is sorted by, its first way first. */
  sorts: readonly [RetentionSort, RetentionSort];
}

const COLUMNS: readonly Column[] = [
  {
    key: "tokens",
    title: "Tokens",
    help: "Of the model's answer",
    sorts: ["-tokens", "tokens"],
  },
  {
    key: "jsd",
    title: "JSD",
    help: "Of base and model on the model's answer, nats per token",
    sorts: ["-jsd", "jsd"],
  },
  {
    key: "base",
    title: "Log p base",
    help: "Of the model's answer under the base, nats per token",
    sorts: ["base_logprob", "-base_logprob"],
  },
  {
    key: "tuned",
    title: "Log p model",
    help: "Of the model's answer under the model itself",
    sorts: ["tuned_logprob", "-tuned_logprob"],
  },
  {
    key: "reverse_jsd",
    title: "Reverse JSD",
    help: "Of base and model on the base's answer",
    sorts: ["-reverse_jsd", "reverse_jsd"],
  },
  {
    key: "reverse",
    title: "Reverse log p",
    help: "Of the base's answer under the model",
    sorts: ["reverse_logprob", "-reverse_logprob"],
  },
  {
    key: "gold",
    title: "Gold Δ log p",
    help: "Of the reference: under the model less under the base",
    sorts: ["gold_change", "-gold_change"],
  },
];

const HEAD = "h-9 px-2 font-normal whitespace-nowrap";
const CELL = "px-2 py-1.5 text-right tabular-nums whitespace-nowrap";

/** The examples of one page; the server sorted them. */
export function ExampleTable({ items, sort, onSort, onOpen }: ExampleTableProps) {
  const head = (column: Pick<Column, "title" | "help" | "sorts">, right: boolean) => (
    <SortHead key={column.title} {...column} right={right} sort={sort} onSort={onSort} />
  );
  return (
    <div tabIndex={0} className="overflow-x-auto">
      <table aria-label="Examples" className="w-full border-collapse text-left">
        <thead>
          <tr className="eyebrow border-line border-b">
            {head({ title: "Example", help: "In their order", sorts: ["index", "-index"] }, false)}
            {head(
              {
                title: "Base → model",
                help: "What regressed first, then by JSD",
                sorts: ["gain", "-gain"],
              },
              false,
            )}
            <th scope="col" className={HEAD}>
              Model's answer
            </th>
            <th scope="col" className={`${HEAD} hidden xl:table-cell`}>
              Base's answer
            </th>
            {COLUMNS.map((column) => head(column, true))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <Row key={`${item.index} ${item.sample}`} item={item} onOpen={() => onOpen(item)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function SortHead(
  props: Omit<Column, "key"> & {
    right: boolean;
    sort: RetentionSort;
    onSort: (sort: RetentionSort) => void;
  },
) {
  const { sorts, sort } = props;
  const on = sorts.includes(sort);
  const descending = sort.startsWith("-");
  const Arrow = descending ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={on ? (descending ? "descending" : "ascending") : "none"}
      className={`${HEAD} first:pl-3 last:pr-3 ${props.right ? "text-right" : ""}`}
    >
      <button
        type="button"
        title={props.help}
        onClick={() => props.onSort(sort === sorts[0] ? sorts[1] : sorts[0])}
        className="inline-flex items-center gap-1 hover:text-ink"
      >
        {props.title}
        {on && <Arrow aria-hidden="true" className="size-3" />}
      </button>
    </th>
  );
}

export function quadrantOf(item: Example): Quadrant | null {
  if (!item.retention) return null;
  if (item.retention.base_correct) return item.correct ? "both_right" : "regressed";
  return item.correct ? "improved" : "both_wrong";
}

function Row({ item, onOpen }: { item: Example; onOpen: () => void }) {
  const quadrant = quadrantOf(item);
  const { forward, reverse, gold } = item.retention ?? {};
  return (
    <tr
      data-testid="retention-row"
      onClick={onOpen}
      className="cursor-pointer border-line border-b last:border-b-0 focus-within:bg-hover hover:bg-hover"
    >
      <td className="py-1.5 pr-2 pl-3 whitespace-nowrap">
        <button
          type="button"
          aria-label={`Open example ${item.index + 1}${item.sample ? `, answer ${item.sample + 1}` : ""}`}
          onClick={(event) => {
            event.stopPropagation();
            onOpen();
          }}
          className="font-medium tabular-nums hover:text-accent-text"
        >
          {integer(item.index + 1)}
          {item.sample > 0 && <span className="text-faint">.{item.sample + 1}</span>}
        </button>
      </td>
      <td className="whitespace-nowrap px-2 py-1.5">
        {quadrant && (
          <span className="inline-flex items-center gap-1.5">
            <Mark quadrant={quadrant} />
            {LOOKS[quadrant].label}
          </span>
        )}
      </td>
      <Said>{item.answer}</Said>
      <Said wide>{item.retention?.base_answer ?? ""}</Said>
      <td className={CELL}>{integer(item.tokens)}</td>
      <td className={`${CELL} font-medium`}>{number(forward?.jsd, 3)}</td>
      <td className={CELL}>{number(forward?.base_logprob, 3)}</td>
      <td className={CELL}>{number(forward?.tuned_logprob, 3)}</td>
      <td className={CELL}>{number(reverse?.jsd, 3)}</td>
      <td className={CELL}>{number(reverse?.tuned_logprob, 3)}</td>
      <td className={`${CELL} pr-3`}>
        {signed(gold && gold.tuned_logprob - gold.base_logprob, (value) => number(value, 3))}
      </td>
    </tr>
  );
}

function Said({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  const empty = typeof children === "string" && children.trim() === "";
  return (
    <td className={`max-w-52 truncate px-2 py-1.5 ${wide ? "hidden xl:table-cell" : ""}`}>
      {empty ? <i className="text-faint">empty</i> : children}
    </td>
  );
}
