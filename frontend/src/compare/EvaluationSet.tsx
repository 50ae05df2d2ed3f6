import { useQueries } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { asApiError } from "../api/client";
import { pairQuery } from "../api/comparisons";
import type { ComparedColumn, EvaluationRow, Interval } from "../api/types";
import { Button } from "../components/ui";
import { percent } from "../lib/format";
import { EvaluationResults, type Pair } from "./EvaluationResults";
import { csv, save } from "./figures";
import { GainScatter } from "./GainScatter";

interface EvaluationSetProps {
  row: EvaluationRow;
  columns: readonly ComparedColumn[];
}

export function EvaluationSet({ row, columns }: EvaluationSetProps) {
  const asked = row.cells.map((cell) => cell.pair).filter((pair) => pair !== null);
  const answers = useQueries({ queries: asked.map((pair) => pairQuery(pair)) });
  const pairs = row.cells.map((cell): Pair => {
    if (!cell.pair) return { kind: "none", words: cell.reason, remedy: "" };
    const answer = answers[asked.indexOf(cell.pair)];
    if (answer?.data) return { kind: "known", found: answer.data };
    if (!answer?.error) return { kind: "waiting" };
    const problem = asApiError(answer.error);
    return { kind: "none", words: problem.message, remedy: problem.remedy };
  });
  const retention = row.cells.some((cell) => cell.jsd.estimate !== null);
  return (
    <section aria-label={`Results on ${row.set}`} className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-b bg-sunken px-3 py-2">
        <h3 className="font-medium">{row.set}</h3>
        {row.chance !== null && (
          <span className="text-faint text-sm">chance {percent(row.chance)}</span>
        )}
        {!retention && (
          <span className="text-faint text-sm">
            Retention was not measured: ask with <code className="font-mono">retention: true</code>
          </span>
        )}
        <Button
          small
          className="ml-auto print:hidden"
          onClick={() => save(`${row.set}.csv`, csv(evaluationTable(row, columns, pairs)))}
        >
          <Download aria-hidden="true" className="size-3.5" />
          CSV
        </Button>
      </div>
      <div className="flex flex-col 2xl:flex-row">
        <div tabIndex={0} className="min-w-0 flex-1 overflow-x-auto">
          <EvaluationResults row={row} columns={columns} pairs={pairs} retention={retention} />
        </div>
        {retention && <GainScatter row={row} columns={columns} />}
      </div>
    </section>
  );
}

export function evaluationTable(
  row: EvaluationRow,
  columns: readonly ComparedColumn[],
  pairs: readonly Pair[],
) {
  const head = [
    ...["run", "accuracy", "accuracy low", "accuracy high"],
    ...["gain", "gain low", "gain high", "mcnemar p"],
    ...["jsd", "jsd difference", "jsd difference low", "jsd difference high", "lower jsd share"],
    ...["base logprob", "base logprob difference", "low", "high"],
    ...["common answers", "note"],
  ];
  return [
    head,
    ...columns.map((column, i) => {
      const cell = row.cells[i];
      const pair = pairs[i];
      const found = pair?.kind === "known" ? pair.found : undefined;
      const kept = found?.retention.forward;
      const note = pair?.kind === "none" ? pair.words : cell?.note;
      return [
        ...[column.label, ...interval(cell?.accuracy)],
        ...[...interval(found?.accuracy), found?.mcnemar?.p],
        ...[cell?.jsd.estimate, ...interval(kept?.jsd), kept?.lower_jsd.estimate],
        ...[cell?.base_logprob.estimate, ...interval(kept?.base_logprob)],
        ...[found?.examples, note],
      ];
    }),
  ];
}

const interval = (value: Interval | null | undefined) => [value?.estimate, value?.low, value?.high];
