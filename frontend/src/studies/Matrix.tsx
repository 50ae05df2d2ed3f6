import type { UseQueryResult } from "@tanstack/react-query";
import { TriangleAlert } from "lucide-react";
import { metricLook } from "../compare/curveSeries";
import { Failure } from "../components/states";
import { Bar, Skeleton } from "../components/ui";
import { integer } from "../lib/format";
import type { StudyRun, StudyTable, TableCell } from "./api";
import { estimate, halfWidth, namedLevels, type Scale, scaleOf, withInterval } from "./figures";
import { IntervalStrip } from "./IntervalStrip";
import { MatrixHead } from "./MatrixHead";
import type { StudyProps } from "./StudyPage";
import { deviceTime, endedWords, failedRuns, openRuns, tokenCount } from "./words";

interface MatrixProps extends StudyProps {
  metric: string;
  table: UseQueryResult<StudyTable>;
}

/** Cells by rows and columns: mean, interval, runs and cost of each. */
export function Matrix({ study, search, onSearch, metric, table }: MatrixProps) {
  const data = table.data;
  const { title } = metricLook(metric);
  return (
    <section aria-labelledby="matrix-title" className="panel overflow-hidden">
      <header className="border-line border-b px-4 py-2.5">
        <h2 id="matrix-title" className="break-words font-semibold text-lg">
          {search.show === "gain" ? "Gain in " : ""}
          {title}
          {title !== metric && (
            <code className="ml-2 font-mono font-normal text-faint text-sm">{metric}</code>
          )}
        </h2>
        {data && <p className="text-muted text-sm">{layoutWords(data)}</p>}
      </header>
      {table.error && !data && <Failure error={table.error} onRetry={() => void table.refetch()} />}
      {!data && !table.error && <Skeleton className="m-4 h-48" />}
      {data && (
        <Grid
          table={data}
          gain={search.show === "gain"}
          runs={new Map(study.cells.map((run) => [run.id, run]))}
          onOpen={(cell) => onSearch({ cell: namedLevels(cell.levels).replaceAll(", ", ",") })}
        />
      )}
    </section>
  );
}

function layoutWords(table: StudyTable): string {
  const parts = ["Mean over seeds with its 95 % interval; runs that succeeded count."];
  if (table.averaged.length) parts.push(`Averaged over ${table.averaged.join(", ")}.`);
  const fixed = namedLevels(table.fixed);
  if (fixed) parts.push(`Only ${fixed}.`);
  return parts.join(" ");
}

interface GridProps {
  table: StudyTable;
  gain: boolean;
  runs: Map<string, StudyRun>;
  onOpen: (cell: TableCell) => void;
}

function Grid({ table, gain, runs, onOpen }: GridProps) {
  const shown = (cell: TableCell) => (gain ? cell.gain : cell.final);
  const cells = table.cells.flat().filter((cell) => cell !== null);
  const scale = scaleOf(cells.map(shown));
  const baseline = cells.find((cell) => cell.baseline);
  const reference = baseline ? shown(baseline).estimate : null;
  return (
    <div className="overflow-x-auto">
      <table className="w-full border-collapse text-left" data-testid="study-matrix">
        <MatrixHead table={table} />
        <tbody>
          {table.rows.map((levels, i) => (
            <tr key={namedLevels(levels)} className="border-line border-b last:border-b-0">
              {table.row_factors.map((factor) => (
                <th
                  key={factor}
                  scope="row"
                  className="whitespace-nowrap border-line border-r px-4 py-2 align-top font-medium"
                >
                  {levels[factor]}
                </th>
              ))}
              {table.cells[i]?.map((cell, j) => (
                <td
                  key={j}
                  className="min-w-44 border-line print:min-w-0 border-l p-0 align-top first:border-l-0"
                >
                  {cell ? (
                    <Cell
                      cell={cell}
                      gain={gain}
                      scale={scale}
                      reference={reference}
                      runs={cell.runs.flatMap((id) => runs.get(id) ?? [])}
                      onOpen={() => onOpen(cell)}
                    />
                  ) : (
                    <p className="px-3 py-2 text-faint text-sm">left out by the plan</p>
                  )}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CellProps {
  cell: TableCell;
  gain: boolean;
  scale: Scale | null;
  reference: number | null;
  runs: StudyRun[];
  onOpen: () => void;
}

function Cell({ cell, gain, scale, reference, runs, onOpen }: CellProps) {
  const interval = gain ? cell.gain : cell.final;
  const half = halfWidth(interval);
  const name = namedLevels(cell.levels) || "all runs";
  const partial = cell.counted > 0 && cell.counted < cell.combinations;
  return (
    <button
      type="button"
      onClick={onOpen}
      title={interval.note ?? ""}
      className="flex w-full flex-col gap-1 px-3 py-2 text-left transition-colors hover:bg-hover focus-visible:-outline-offset-2"
    >
      <span className="sr-only">{`${name}: ${withInterval(interval, gain)}. Its runs`}</span>
      <span className="flex items-baseline gap-1.5 whitespace-nowrap tabular-nums">
        <span className="font-semibold text-lg">{estimate(interval, gain)}</span>
        {half && <span className="text-muted">{half}</span>}
        {interval.estimate !== null && (
          <span className="text-faint text-xs">n={integer(interval.n)}</span>
        )}
        {partial && <TriangleAlert aria-hidden="true" className="size-3.5 self-center text-warn" />}
        {cell.baseline && (
          <span className="ml-auto rounded-[3px] bg-sunken px-1 text-muted text-xs">baseline</span>
        )}
      </span>
      {scale && interval.estimate !== null && (
        <IntervalStrip
          interval={interval}
          scale={scale}
          reference={reference}
          height={14}
          label={`${name} on the common scale`}
        />
      )}
      {partial && (
        <span className="text-warn text-xs">
          {integer(cell.counted)} of {integer(cell.combinations)} combinations
        </span>
      )}
      <Standing cell={cell} runs={runs} />
      {cell.cost.device_seconds !== null && (
        <span className="text-faint text-xs tabular-nums">
          {deviceTime(cell.cost)}
          {cell.cost.tokens !== null && ` · ${tokenCount(cell.cost.tokens)} tokens`}
        </span>
      )}
    </button>
  );
}

/** How many of a cell's runs are done, and how far the others are. */
function Standing({ cell, runs }: { cell: TableCell; runs: StudyRun[] }) {
  const total = Object.values(cell.states).reduce((sum, count) => sum + count, 0);
  const done = cell.states.succeeded ?? 0;
  const failed = failedRuns(cell.states);
  const open = openRuns(cell.states);
  const words = [
    `${integer(done)}/${integer(total)} runs`,
    open > 0 ? `${integer(open)} open` : "",
    endedWords(cell.states),
  ].filter(Boolean);
  return (
    <>
      <span className="text-muted text-xs tabular-nums">
        {words.join(", ")}
        {failed > 0 && <span className="font-medium text-bad">, {integer(failed)} failed</span>}
      </span>
      {open > 0 && (
        <Bar share={shareOf(runs)} label="Progress of the cell" tone="bg-live" className="w-full" />
      )}
    </>
  );
}

function shareOf(runs: StudyRun[]): number {
  if (runs.length === 0) return 0;
  const done = runs.map((run) => {
    const open = openRuns({ [run.status]: 1 }) > 0;
    if (!open) return 1;
    return run.status !== "queued" && run.total_steps ? run.step / run.total_steps : 0;
  });
  return done.reduce((sum, share) => sum + share, 0) / runs.length;
}
