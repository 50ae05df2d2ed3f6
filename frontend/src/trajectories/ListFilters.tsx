import { useQuery } from "@tanstack/react-query";
import { ListFilter, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { distributionQuery } from "../api/trajectoryQueries";
import { Popover } from "../components/Popover";
import { Button } from "../components/ui";
import { integer, number } from "../lib/format";
import { SUMMARY_FIELDS, type SummaryField } from "./search";
import type { Summary } from "./summaries";
import {
  CHOICES,
  COMPARISONS,
  type Comparison,
  chosen,
  filterWords,
  writeFilter,
} from "./trajectoryFilters";

interface ListFiltersProps {
  runId: string;
  shown: readonly Summary[];
  filters: readonly string[];
  onChange: (filters: string[]) => void;
}

/** The filters as chips, and where one is written. */
export function ListFilters({ runId, shown, filters, onChange }: ListFiltersProps) {
  return (
    <>
      <Popover
        className="top-full left-0 mt-1 w-80 p-3"
        button={({ open, toggle }) => (
          <Button aria-expanded={open} onClick={toggle}>
            <ListFilter aria-hidden="true" className="size-3.5 text-muted" />
            Filter
          </Button>
        )}
      >
        {(close) => (
          <div className="flex flex-col gap-3">
            <fieldset className="flex flex-wrap gap-1.5">
              <legend className="eyebrow mb-1.5">Answers</legend>
              {CHOICES.map(([written, words]) => (
                <button
                  key={written}
                  type="button"
                  aria-pressed={filters.includes(written)}
                  onClick={() => onChange(chosen(filters, written))}
                  className="h-7 rounded-control border border-line-strong px-2 text-sm hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:text-accent-text"
                >
                  {words}
                </button>
              ))}
            </fieldset>
            <Bound
              runId={runId}
              shown={shown}
              onAdd={(written) => {
                onChange([...filters.filter((one) => one !== written), written]);
                close();
              }}
            />
          </div>
        )}
      </Popover>
      {filters.map((written) => (
        <span
          key={written}
          data-testid="filter-chip"
          className="inline-flex h-7 max-w-80 items-center rounded-control border border-line-strong bg-accent-soft pl-2 text-accent-text text-sm"
        >
          <span className="truncate">{filterWords(written)}</span>
          <button
            type="button"
            aria-label={`Remove the filter: ${filterWords(written)}`}
            onClick={() => onChange(filters.filter((one) => one !== written))}
            className="flex size-6 shrink-0 items-center justify-center hover:text-ink"
          >
            <X aria-hidden="true" className="size-3.5" />
          </button>
        </span>
      ))}
    </>
  );
}

interface BoundProps {
  runId: string;
  shown: readonly Summary[];
  onAdd: (written: string) => void;
}

const SIGNS: Record<Comparison, string> = { ">=": "at least", "<=": "at most", "=": "is" };

/** A number to compare with, chosen with its distribution in sight. */
function Bound({ runId, shown, onAdd }: BoundProps) {
  const numbers = shown.filter((one) => one.id !== "grade");
  const first = numbers.find((one) => one.id === "disagreement") ?? numbers[0];
  const [field, setField] = useState<SummaryField>(first?.id ?? "divergence");
  const [comparison, setComparison] = useState<Comparison>(">=");
  const [value, setValue] = useState("");
  const sound = value.trim() !== "" && Number.isFinite(Number(value));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (sound) onAdd(writeFilter(field, comparison, value));
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-2 border-line border-t pt-3">
      <select
        aria-label="Number to filter by"
        value={field}
        onChange={(event) => {
          const next = SUMMARY_FIELDS.find((one) => one === event.target.value);
          if (next) setField(next);
        }}
        className="control w-full text-sm"
      >
        {numbers.map((one) => (
          <option key={one.id} value={one.id}>
            {one.title}
          </option>
        ))}
      </select>
      <Histogram runId={runId} field={field} onPick={setValue} />
      <div className="flex gap-1.5">
        <select
          aria-label="Comparison"
          value={comparison}
          onChange={(event) => setComparison(event.target.value as Comparison)}
          className="control w-24 px-1! text-sm"
        >
          {COMPARISONS.map((one) => (
            <option key={one} value={one}>
              {SIGNS[one]}
            </option>
          ))}
        </select>
        <input
          aria-label="Value"
          inputMode="decimal"
          value={value}
          placeholder="0.5"
          onChange={(event) => setValue(event.target.value)}
          className="control min-w-0 flex-1 text-sm"
        />
        <Button type="submit" disabled={!sound}>
          Add
        </Button>
      </div>
    </form>
  );
}

const HEIGHT = 44;

interface HistogramProps {
  runId: string;
  field: SummaryField;
  onPick: (value: string) => void;
}

/** How the number is spread over all rollouts; quantiles to take as a bound. */
function Histogram({ runId, field, onPick }: HistogramProps) {
  const { data } = useQuery(distributionQuery(runId, field));
  if (!data || data.count === 0) return <div style={{ height: HEIGHT + 28 }} />;
  const most = Math.max(...data.bins.map((bin) => bin.count));
  const width = 100 / data.bins.length;
  return (
    <div>
      <svg
        role="img"
        aria-label={`${integer(data.count)} rollouts from ${number(data.quantiles.p0, 3)} to ${number(data.quantiles.p100, 3)}`}
        viewBox={`0 0 100 ${HEIGHT}`}
        preserveAspectRatio="none"
        width="100%"
        height={HEIGHT}
        className="rounded-[3px] bg-sunken"
      >
        {data.bins.map((bin, i) => {
          const height = (bin.count / most) * (HEIGHT - 2);
          return (
            <rect
              key={bin.low}
              x={i * width}
              y={HEIGHT - height}
              width={width * 0.9}
              height={height}
              fill="var(--series-1)"
            />
          );
        })}
      </svg>
      <div className="mt-1 flex justify-between text-xs tabular-nums">
        {(["p10", "p50", "p90"] as const).map((name) => (
          <button
            key={name}
            type="button"
            title="Take this value"
            onClick={() => onPick(String(Number((data.quantiles[name] ?? 0).toPrecision(3))))}
            className="rounded px-1 text-muted hover:bg-hover hover:text-ink"
          >
            {QUANTILES[name]} {number(data.quantiles[name], 3)}
          </button>
        ))}
      </div>
    </div>
  );
}

const QUANTILES = { p10: "lowest tenth", p50: "median", p90: "highest tenth" };
