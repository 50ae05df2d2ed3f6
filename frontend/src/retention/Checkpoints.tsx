import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { RunDetail } from "../api/types";
import { ends, points } from "../compare/figures";
import { StatusChip } from "../components/StatusChip";
import { Button, Segmented } from "../components/ui";
import { integer, number, percent } from "../lib/format";
import type { RunSearch } from "../searches";
import { CurvePlot } from "./CurvePlot";
import { EvaluateDialog } from "./EvaluateDialog";
import type { EvaluatedWeights, RetentionCurve } from "./queries";
import { lineOf, nameOf } from "./words";

interface CheckpointsProps {
  run: RunDetail;
  curve: RetentionCurve;
  chosen: EvaluatedWeights | undefined;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

const HEAD = "h-8 px-3 text-right font-normal whitespace-nowrap";
const CELL = "px-3 py-1.5 text-right tabular-nums whitespace-nowrap";

/** Every evaluated state of the weights: what it gained, and how far it went for that. */
export function Checkpoints({ run, curve, chosen, search, onSearch }: CheckpointsProps) {
  const [asking, setAsking] = useState(false);
  const lines = [...new Map(curve.items.map((item) => [lineOf(item), item])).entries()];
  const line = chosen ? lineOf(chosen) : lines[0]?.[0];
  const items = curve.items.filter((item) => lineOf(item) === line);
  const choose = (name: string | undefined) =>
    onSearch({ result: name, page: undefined, bin: undefined, quadrant: undefined }, true);
  return (
    <section aria-label="Across checkpoints" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken px-3 py-2">
        <h2 className="font-medium">
          {run.kind === "training" ? "Across checkpoints" : "Results of this evaluation"}
        </h2>
        {lines.length > 1 && (
          <select
            aria-label="Questions"
            value={line}
            onChange={(event) =>
              choose(curve.items.filter((one) => lineOf(one) === event.target.value).at(-1)?.name)
            }
            className="control h-7!"
          >
            {lines.map(([name, item]) => (
              <option key={name} value={name}>
                {item.set}, {integer(item.questions)} questions
              </option>
            ))}
          </select>
        )}
        <Segmented
          small
          label="Horizontal axis"
          value={search.curve ?? "jsd"}
          options={[
            { value: "jsd", label: "Against forgetting", title: "Gain over JSD to base" },
            { value: "step", label: "Over steps" },
          ]}
          onChange={(x) => onSearch({ curve: x === "jsd" ? undefined : x })}
        />
        {run.kind === "training" && (
          <Button small className="ml-auto" onClick={() => setAsking(true)}>
            Evaluate checkpoints…
          </Button>
        )}
        {curve.source_run_id && (
          <Link
            to="/runs/$runId"
            params={{ runId: curve.source_run_id }}
            search={{ tab: "retention" }}
            className="ml-auto truncate text-accent-text text-sm hover:underline"
          >
            Across the checkpoints of {curve.source_run_name}
          </Link>
        )}
      </div>
      <div className="grid items-start lg:grid-cols-[minmax(0,1fr)_minmax(0,1fr)]">
        <div className="min-w-0 p-2">
          <CurvePlot
            items={items}
            x={search.curve ?? "jsd"}
            chosen={chosen?.name}
            onChoose={choose}
          />
        </div>
        <div
          tabIndex={0}
          className="max-h-72 overflow-auto border-line border-t lg:border-t-0 lg:border-l"
        >
          <States items={items} chosen={chosen?.name} onChoose={choose} />
        </div>
      </div>
      <Pending curve={curve} />
      {asking && <EvaluateDialog run={run} curve={curve} onClose={() => setAsking(false)} />}
    </section>
  );
}

function States(props: {
  items: readonly EvaluatedWeights[];
  chosen: string | undefined;
  onChoose: (name: string) => void;
}) {
  return (
    <table aria-label="Evaluated weights" className="w-full border-collapse text-left">
      <thead>
        <tr className="eyebrow border-line border-b">
          <th scope="col" className="h-8 px-3 font-normal">
            Weights
          </th>
          {["Right", "Gain", "JSD", "Log p base", "Gold perplexity"].map((title) => (
            <th key={title} scope="col" className={HEAD}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {props.items.map((item) => (
          <tr
            key={item.name}
            data-testid="state-row"
            aria-current={item.name === props.chosen || undefined}
            onClick={() => props.onChoose(item.name)}
            className="cursor-pointer border-line border-b last:border-b-0 hover:bg-hover aria-[current]:bg-sunken"
          >
            <td className="whitespace-nowrap px-3 py-1.5">
              <button
                type="button"
                aria-pressed={item.name === props.chosen}
                onClick={(event) => {
                  event.stopPropagation();
                  props.onChoose(item.name);
                }}
                className="font-medium hover:text-accent-text"
              >
                {nameOf(item)}
              </button>
            </td>
            <td
              className={CELL}
              title={ends(item.accuracy.low, item.accuracy.high, (x) => percent(x)) ?? undefined}
            >
              {percent(item.accuracy.estimate)}
            </td>
            <td className={`${CELL} font-medium`}>{points(item.gain)}</td>
            <td className={CELL}>{number(item.jsd, 3)}</td>
            <td className={CELL}>{number(item.base_logprob, 3)}</td>
            <td className={CELL} title={`${number(item.gold_base_perplexity, 4)} under the base`}>
              {number(item.gold_perplexity, 4)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Pending({ curve }: { curve: RetentionCurve }) {
  if (curve.pending.length === 0) return null;
  return (
    <ul aria-label="Evaluations under way" className="border-line border-t px-3 py-1.5 text-sm">
      {curve.pending.map((one) => (
        <li key={one.run_id} className="flex items-center gap-3 py-0.5">
          <StatusChip status={one.status} still />
          <Link
            to="/runs/$runId"
            params={{ runId: one.run_id }}
            className="min-w-0 truncate hover:text-accent-text"
          >
            {nameOf({ ...one, last: false })} on {one.sets.join(", ")}
          </Link>
        </li>
      ))}
    </ul>
  );
}
