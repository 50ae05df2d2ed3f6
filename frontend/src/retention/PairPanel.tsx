import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { asApiError } from "../api/client";
import { pairQuery } from "../api/comparisons";
import { runQuery } from "../api/queries";
import type { Interval, PairComparison } from "../api/types";
import { Difference } from "../compare/Difference";
import { type Better, points, pValue, signed } from "../compare/figures";
import { Inline } from "../components/Inline";
import { Button, IconButton, Skeleton } from "../components/ui";
import { integer, number, percent } from "../lib/format";
import { DIRECTIONS } from "./measures";
import { type EvaluatedWeights, resultOf } from "./queries";
import { ResultPicker } from "./ResultPicker";
import { nameOf } from "./words";

interface PairPanelProps {
  result: EvaluatedWeights;
  items: readonly EvaluatedWeights[];
  against: string | undefined;
  onAgainst: (name: string | undefined) => void;
}

/** This result and another one on the questions that both answered. */
export function PairPanel({ result, items, against, onAgainst }: PairPanelProps) {
  const [picking, setPicking] = useState(false);
  return (
    <section aria-label="Paired comparison" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-3 bg-sunken px-3 py-2">
        <h2 className="font-medium">Paired comparison</h2>
        {against && <Other name={against} items={items} />}
        <span className="ml-auto flex items-center gap-1">
          <Button small onClick={() => setPicking(true)}>
            {against ? "Compare with another…" : "Compare with…"}
          </Button>
          {against && (
            <IconButton label="Leave the comparison" onClick={() => onAgainst(undefined)}>
              <X className="size-4" />
            </IconButton>
          )}
        </span>
      </div>
      {against ? (
        <Pair first={against} second={result.name} />
      ) : (
        <p className="border-line border-t px-3 py-2 text-muted text-sm">
          Choose another run, or another state of this one: on the questions that both answered you
          see who stayed nearer to the base, who was right, and how sure that is.
        </p>
      )}
      {picking && (
        <ResultPicker
          set={result.set}
          own={items}
          onClose={() => setPicking(false)}
          onChoose={(name) => {
            setPicking(false);
            onAgainst(name);
          }}
        />
      )}
    </section>
  );
}

function Other({ name, items }: { name: string; items: readonly EvaluatedWeights[] }) {
  const { runId } = resultOf(name);
  const own = items.find((item) => item.name === name);
  const run = useQuery({ ...runQuery(runId), enabled: own === undefined });
  if (own) return <span className="text-muted">this run less {nameOf(own)}</span>;
  return (
    <span className="min-w-0 truncate text-muted">
      this less{" "}
      <Link
        to="/runs/$runId"
        params={{ runId }}
        search={{ tab: "retention", result: name }}
        className="text-accent-text hover:underline"
      >
        {run.data?.name ?? runId}
      </Link>
    </span>
  );
}

function Pair({ first, second }: { first: string; second: string }) {
  const { data, error } = useQuery(pairQuery({ first: [first], second: [second] }));
  if (error) {
    const problem = asApiError(error);
    return (
      <p role="alert" className="border-line border-t px-3 py-2">
        {problem.message} <Inline text={problem.remedy} />
      </p>
    );
  }
  if (!data) return <Skeleton className="m-3 h-32" />;
  return (
    <>
      <div tabIndex={0} className="overflow-x-auto border-line border-t">
        <Table found={data} />
      </div>
      <p className="border-line border-t px-3 py-1.5 text-faint text-sm">
        On {integer(data.examples)} common answers
        {data.only_first + data.only_second > 0 &&
          `; ${integer(data.only_first + data.only_second)} of one alone are left out`}
        . BCa bootstrap intervals of 95 % over questions; McNemar's exact test. ✓ better, ✗ worse:
        the interval leaves out zero.
      </p>
    </>
  );
}

const HEAD = "h-8 px-3 text-right font-normal whitespace-nowrap";
const CELL = "px-3 py-1.5 text-right align-top tabular-nums whitespace-nowrap";

function Table({ found }: { found: PairComparison }) {
  const { first, second, accuracy, mcnemar, quadrants } = found;
  return (
    <table aria-label="Paired differences" className="w-full border-collapse text-left">
      <thead>
        <tr className="eyebrow border-line border-b">
          <th scope="col" className="h-8 px-3 font-normal">
            On
          </th>
          <th
            scope="col"
            className={HEAD}
            title="Share of examples on which this has the lower JSD"
          >
            Lower JSD
          </th>
          <th scope="col" className={HEAD} title="Mean difference, nats per token">
            JSD difference
          </th>
          <th
            scope="col"
            className={HEAD}
            title="Share of examples on which this has the higher log-probability under the base"
          >
            Higher log p base
          </th>
          <th scope="col" className={HEAD}>
            Log p base difference
          </th>
          <th scope="col" className={HEAD}>
            Log p model difference
          </th>
        </tr>
      </thead>
      <tbody>
        {(["forward", "reverse", "gold"] as const).map((direction) => {
          const kept = found.retention[direction];
          if (!kept) return null;
          return (
            <tr key={direction} className="border-line border-b">
              <th scope="row" className="px-3 py-1.5 align-top font-normal">
                {DIRECTIONS[direction].label}
                <span className="block text-faint text-xs">{integer(kept.examples)} examples</span>
              </th>
              <td className={CELL}>{percent(kept.lower_jsd.estimate)}</td>
              <Gap value={kept.jsd} better="lower" />
              <td className={CELL}>{percent(kept.higher_base_logprob?.estimate)}</td>
              <Gap value={kept.base_logprob} better="higher" />
              <Gap value={kept.tuned_logprob} better={direction === "forward" ? null : "higher"} />
            </tr>
          );
        })}
        <tr>
          <th scope="row" className="px-3 py-1.5 align-top font-normal">
            Right answers
            <span className="block text-faint text-xs">{integer(found.examples)} answers</span>
          </th>
          <td colSpan={5} className="px-3 py-1.5 align-top tabular-nums">
            <span className="flex flex-wrap items-baseline gap-x-6 gap-y-1">
              <span>
                {percent(second.accuracy.estimate)}, the other {percent(first.accuracy.estimate)}
              </span>
              <span className="flex items-baseline gap-2">
                <span className="text-muted">difference, points</span>
                <Difference
                  value={accuracy.estimate}
                  low={accuracy.low}
                  high={accuracy.high}
                  better="higher"
                  format={points}
                  formatEnd={points}
                />
              </span>
              <span>
                <span className="text-muted">McNemar p</span> {pValue(mcnemar?.p)}
              </span>
              <span className="text-muted">
                right alone: this {integer(quadrants.only_second)}, the other{" "}
                {integer(quadrants.only_first)}
              </span>
            </span>
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Gap({ value, better }: { value: Interval | null; better: Better }) {
  return (
    <td className={CELL} title={value?.note || undefined}>
      <Difference
        value={value?.estimate}
        low={value?.low}
        high={value?.high}
        better={better}
        format={(x) => signed(x, (size) => number(size, 3))}
      />
    </td>
  );
}
