import { Link } from "@tanstack/react-router";
import type {
  ComparedColumn,
  EvaluationCell,
  EvaluationRow,
  Interval,
  PairComparison,
} from "../api/types";
import { Skeleton } from "../components/ui";
import { integer, number, percent, UNKNOWN } from "../lib/format";
import { Difference } from "./Difference";
import { type Better, ends, points, pValue, signed } from "./figures";
import { columnStyles, Swatch } from "./RunBar";

/** What became of asking for a pair. */
export type Pair =
  | { kind: "known"; found: PairComparison }
  | { kind: "waiting" }
  | { kind: "none"; words: string; remedy: string };

interface EvaluationResultsProps {
  row: EvaluationRow;
  columns: readonly ComparedColumn[];
  pairs: readonly Pair[];
  retention: boolean;
}

const HEAD = "eyebrow whitespace-nowrap px-3 py-2 text-right align-bottom";

/** A row for each compared run: what it got right, what it kept, and against the baseline. */
export function EvaluationResults({ row, columns, pairs, retention }: EvaluationResultsProps) {
  const styles = columnStyles(columns);
  return (
    <table aria-label={`Results on ${row.set}`} className="w-full border-collapse text-left">
      <thead>
        <tr className="border-line border-b">
          <th scope="col" className="eyebrow px-3 py-2 align-bottom">
            Run
          </th>
          <th scope="col" className={HEAD}>
            Right
          </th>
          <th scope="col" className={HEAD} title="Percentage points, less the baseline">
            Gain, points
          </th>
          <th scope="col" className={HEAD} title="Of “neither is better”: McNemar's exact test">
            McNemar p
          </th>
          {retention && (
            <>
              <th scope="col" className={HEAD} title="Of its answers, nats per token">
                JSD to base
              </th>
              <th scope="col" className={HEAD}>
                Difference
              </th>
              <th scope="col" className={HEAD} title="Questions on which it stays nearer to base">
                Nearer on
              </th>
              <th scope="col" className={HEAD} title="Of its answers, nats per token">
                Log p under base
              </th>
              <th scope="col" className={HEAD}>
                Difference
              </th>
            </>
          )}
        </tr>
      </thead>
      <tbody>
        {columns.map((column, i) => {
          const cell = row.cells[i];
          const pair = pairs[i];
          if (!cell || !pair) return null;
          return (
            <tr key={column.key} className="border-line border-b align-top last:border-b-0">
              <th scope="row" className="min-w-60 max-w-80 px-3 py-1.5 font-normal">
                <span className="flex items-center gap-2">
                  <span className="w-4 shrink-0 text-right text-faint text-sm tabular-nums">
                    {i + 1}
                  </span>
                  <Swatch style={styles[column.key]} />
                  <span className="truncate" title={column.label}>
                    {column.label}
                  </span>
                </span>
                <Made cell={cell} column={column} retention={retention} />
                <On column={column} cell={cell} pair={pair} />
              </th>
              <Own value={cell.accuracy} format={percent} end={(x) => percent(x)} />
              <Gain pair={pair} better="higher" share get={(found) => found.accuracy} />
              <Plain pair={pair} get={(found) => pValue(found.mcnemar?.p)} />
              {retention && (
                <>
                  <Own value={cell.jsd} format={(x) => number(x, 3)} />
                  <Gain pair={pair} better="lower" get={(found) => found.retention.forward?.jsd} />
                  <Plain
                    pair={pair}
                    get={(found) => percent(found.retention.forward?.lower_jsd.estimate)}
                  />
                  <Own value={cell.base_logprob} format={(x) => number(x, 3)} />
                  <Gain
                    pair={pair}
                    better="higher"
                    get={(found) => found.retention.forward?.base_logprob}
                  />
                </>
              )}
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Made(props: { cell: EvaluationCell; column: ComparedColumn; retention: boolean }) {
  const { cell, column, retention } = props;
  const steps = [...new Set(cell.results.map((result) => result.step))];
  const words = steps.map((step) => (step === null ? "at its end" : `step ${integer(step)}`));
  if (column.runs.length > 1) words.push(`${cell.results.length} seeds`);
  return (
    cell.results.length > 0 && (
      <span className="ml-12 text-faint text-xs">
        {words.join(", ")}
        {retention &&
          cell.results.map(({ name, made_by, seed }) => (
            <Link
              key={name}
              to="/runs/$runId"
              params={{ runId: made_by }}
              search={{ tab: "retention", result: name }}
              className="ml-2 text-accent-text hover:underline print:hidden"
            >
              {cell.results.length > 1 ? `retention, seed ${seed}` : "retention"}
            </Link>
          ))}
      </span>
    )
  );
}

const CELL = "px-3 py-1.5 text-right tabular-nums whitespace-nowrap";

function Own(props: {
  value: Interval;
  format: (value: number | null) => string;
  end?: (value: number) => string;
}) {
  const range = ends(props.value.low, props.value.high, props.end ?? ((x) => number(x, 3)));
  return (
    <td className={CELL} title={props.value.note || undefined}>
      {props.format(props.value.estimate)}
      {range && <span className="block text-faint text-xs">{range}</span>}
    </td>
  );
}

interface OfPairProps<T> {
  pair: Pair;
  get: (found: PairComparison) => T;
}

function Gain(
  props: OfPairProps<Interval | null | undefined> & { better: Better; share?: boolean },
) {
  const { pair, get, better, share = false } = props;
  if (pair.kind === "waiting") return <Waiting />;
  const value = pair.kind === "known" ? get(pair.found) : undefined;
  if (!value) return <td className={CELL}>{UNKNOWN}</td>;
  return (
    <td className={CELL} title={value.note || undefined}>
      <Difference
        value={value.estimate}
        low={value.low}
        high={value.high}
        better={better}
        format={share ? points : signed}
        {...(share ? { formatEnd: points } : {})}
      />
    </td>
  );
}

function Plain({ pair, get }: OfPairProps<string>) {
  if (pair.kind === "waiting") return <Waiting />;
  return <td className={CELL}>{pair.kind === "known" ? get(pair.found) : UNKNOWN}</td>;
}

function Waiting() {
  return (
    <td className={CELL}>
      <Skeleton className="ml-auto h-4 w-14" />
    </td>
  );
}

/** On what the difference rests, or in words why there is none. */
function On(props: { column: ComparedColumn; cell: EvaluationCell; pair: Pair }) {
  const { column, cell, pair } = props;
  const words = () => {
    if (pair.kind === "waiting") return "Comparing…";
    if (pair.kind === "none") return pair.words || (column.baseline ? "Baseline" : UNKNOWN);
    return compared(pair.found);
  };
  return (
    <span className="ml-12 block text-muted text-xs">
      {words()}
      {pair.kind === "none" && pair.remedy && ` ${pair.remedy}`}
      {cell.note && <span className="block text-faint">{cell.note}</span>}
    </span>
  );
}

export function compared({ examples, only_first, only_second, seeds }: PairComparison): string {
  const left = [
    only_first > 0 ? `${integer(only_first)} only the baseline answered` : "",
    only_second > 0 ? `${integer(only_second)} only this run` : "",
  ].filter(Boolean);
  const on = `${integer(examples)} common answers${seeds > 1 ? `, ${seeds} seeds` : ""}`;
  return left.length ? `${on}; ${left.join(", ")}` : on;
}
