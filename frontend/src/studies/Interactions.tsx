import { useQuery } from "@tanstack/react-query";
import { useId } from "react";
import { Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import type { StudySearch } from "../searches";
import { isOpen, type StudyDetail, type StudyTable, type TableQuery, tableQuery } from "./api";
import { namedLevels, withInterval } from "./figures";
import { InteractionPlot, lineColour } from "./InteractionPlot";
import type { StudyProps } from "./StudyPage";
import { choicesOf, pairsOf } from "./view";

/** How two factors work on each other, one pair at a time. */
export function Interactions({ study, search, onSearch, metric }: StudyProps & { metric: string }) {
  const pairs = pairsOf(Object.keys(study.factors));
  if (pairs.length === 0) return null;
  const pair =
    pairs.find((one) => one.join(",") === search.pair) ?? strongest(study, metric, pairs);
  return <Shown key={pair.join(",")} {...{ study, search, onSearch, metric, pair, pairs }} />;
}

type Pair = [string, string];

/** The pair whose interaction is largest, or the first. */
function strongest(study: StudyDetail, metric: string, pairs: Pair[]): Pair {
  const effects = study.report.effects.find((one) => one.metric === metric)?.effects ?? [];
  const [largest] = effects
    .filter((effect) => effect.kind === "interaction" && effect.interval.estimate !== null)
    .sort((a, b) => Math.abs(b.interval.estimate ?? 0) - Math.abs(a.interval.estimate ?? 0));
  const names = Object.keys(largest?.levels ?? {}).join(",");
  return pairs.find((pair) => pair.join(",") === names) ?? (pairs[0] as Pair);
}

interface ShownProps extends StudyProps {
  metric: string;
  pair: Pair;
  pairs: Pair[];
}

function tableOfPair(pair: Pair, search: StudySearch, metric: string): TableQuery {
  const fixed = Object.entries(choicesOf(search.fix)).filter(([factor]) => !pair.includes(factor));
  const fix = fixed.map(([factor, level]) => `${factor}=${level}`);
  return { metric, row: [pair[0]], column: [pair[1]], ...(fix.length ? { fix } : {}) };
}

function Shown({ study, search, onSearch, metric, pair, pairs }: ShownProps) {
  const id = useId();
  const table = useQuery(tableQuery(study.id, tableOfPair(pair, search, metric), isOpen(study)));
  const gain = search.show === "gain";
  return (
    <section aria-label="Interaction plot" className="panel break-inside-avoid overflow-hidden">
      <header className="flex flex-wrap items-center gap-3 border-line border-b px-4 py-2.5">
        <div className="min-w-0 flex-1">
          <h2 className="font-semibold text-lg">
            {pair[0]} × {pair[1]}
          </h2>
          <p className="text-muted text-sm">
            Parallel lines: the two add up. {table.data && othersWords(table.data)}
          </p>
        </div>
        {pairs.length > 1 && (
          <label htmlFor={id} className="print:hidden">
            <span className="sr-only">Pair of factors</span>
            <select
              id={id}
              value={pair.join(",")}
              onChange={(event) => onSearch({ pair: event.target.value })}
              className="control"
            >
              {pairs.map((one) => (
                <option key={one.join(",")} value={one.join(",")}>
                  {one.join(" × ")}
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      {table.error && !table.data && (
        <Failure error={table.error} onRetry={() => void table.refetch()} />
      )}
      {!table.data && !table.error && <Skeleton className="m-4 h-64" />}
      {table.data && <Body table={table.data} metric={metric} gain={gain} />}
    </section>
  );
}

function othersWords(table: StudyTable): string {
  const fixed = namedLevels(table.fixed);
  return [
    table.averaged.length ? `Averaged over ${table.averaged.join(", ")}.` : "",
    fixed ? `Only ${fixed}.` : "",
  ].join(" ");
}

function Body({ table, metric, gain }: { table: StudyTable; metric: string; gain: boolean }) {
  const pick = (cell: NonNullable<StudyTable["cells"][number][number]>) =>
    gain ? cell.gain : cell.final;
  const any = table.cells.flat().some((cell) => cell && pick(cell).estimate !== null);
  if (!any) return <p className="px-4 py-5 text-muted">No cell has a result yet.</p>;
  const [across = "", lines = ""] = [table.row_factors[0], table.column_factors[0]];
  return (
    <div className="grid items-center gap-4 p-4 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
      <figure className="min-w-0">
        <figcaption className="mb-1 text-faint text-sm">
          {gain ? "Gain in " : ""}
          {metric}
        </figcaption>
        <InteractionPlot table={table} metric={metric} pick={pick} />
      </figure>
      <div className="overflow-x-auto">
        <table className="w-full border-collapse text-left">
          <thead>
            <tr className="border-line border-b">
              <th scope="col" className="eyebrow h-9 px-3">
                {across}
              </th>
              {table.columns.map((levels, line) => (
                <th
                  key={levels[lines]}
                  scope="col"
                  className="h-9 whitespace-nowrap px-3 text-right font-medium"
                >
                  <span aria-hidden="true" style={{ color: lineColour(line) }}>
                    ●{" "}
                  </span>
                  {lines}={levels[lines]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((levels, i) => (
              <tr key={levels[across]} className="border-line border-b last:border-b-0">
                <th scope="row" className="whitespace-nowrap px-3 py-2 font-medium">
                  {levels[across]}
                </th>
                {table.cells[i]?.map((cell, j) => (
                  <td
                    key={j}
                    title={(cell && pick(cell).note) || undefined}
                    className="whitespace-nowrap px-3 py-2 text-right tabular-nums"
                  >
                    {cell ? withInterval(pick(cell), gain) : "left out"}
                    {cell && cell.counted > 0 && cell.counted < cell.combinations && (
                      <span className="block text-warn text-xs">
                        {cell.counted} of {cell.combinations} combinations
                      </span>
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}
