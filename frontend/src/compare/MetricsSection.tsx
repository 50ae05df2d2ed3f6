import { Download } from "lucide-react";
import { useMemo } from "react";
import type { ComparedColumn, MetricCell, MetricRow, RunComparison } from "../api/types";
import { NameSearch } from "../components/NameSearch";
import { Button, Segmented } from "../components/ui";
import { bytes, number, UNKNOWN } from "../lib/format";
import { type CompareSearch, STATISTICS, type Statistic } from "../searches";
import { ColumnHeads } from "./ColumnHeads";
import type { OnSearch } from "./ComparePage";
import { metricLook } from "./curveSeries";
import { Difference } from "./Difference";
import { csv, save, signed } from "./figures";
import { Section } from "./Section";

interface MetricsSectionProps {
  comparison: RunComparison;
  search: CompareSearch;
  onSearch: OnSearch;
}

const WORDS: Record<Statistic, string> = { last: "Last", min: "Lowest", max: "Highest" };

/** Every metric of every run, with its difference from the baseline. */
export function MetricsSection({ comparison, search, onSearch }: MetricsSectionProps) {
  const { columns, metrics } = comparison;
  const wanted = search.find?.toLowerCase() ?? "";
  const rows = useMemo(
    () => metrics.filter((row) => row.name.toLowerCase().includes(wanted)),
    [metrics, wanted],
  );
  const value = search.value ?? "last";
  return (
    <Section
      title="Metrics"
      note="Differences are less the baseline. Intervals are 95 %, over seeds, and not adjusted for how many there are. ✓ better, ✗ worse, ≠ differs: the interval leaves out zero."
      tools={
        <>
          <NameSearch
            label="Search metrics"
            placeholder="Metric"
            value={search.find ?? ""}
            onChange={(find) => onSearch({ find: find || undefined })}
          />
          <Segmented
            small
            label="Value"
            value={value}
            options={STATISTICS.map((one) => ({ value: one, label: WORDS[one] }))}
            onChange={(next) => onSearch({ value: next === "last" ? undefined : next })}
          />
          <Button
            small
            onClick={() => save(`metrics-${value}.csv`, csv(metricsTable(columns, rows)))}
          >
            <Download aria-hidden="true" className="size-3.5" />
            CSV
          </Button>
        </>
      }
    >
      {rows.length === 0 ? (
        <p className="panel px-3 py-6 text-center text-muted">
          {metrics.length === 0
            ? "None of these runs has reported a metric yet."
            : "No metric has this name."}
        </p>
      ) : (
        <div tabIndex={0} className="panel overflow-x-auto">
          <table aria-label="Metrics" className="w-full border-collapse text-left">
            <thead>
              <ColumnHeads first="Metric" columns={columns} />
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row key={row.name} row={row} columns={columns} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function Row({ row, columns }: { row: MetricRow; columns: readonly ComparedColumn[] }) {
  const look = metricLook(row.name);
  // Bytes are written as MiB, and a perplexity is called so.
  const unit = look.spec?.bytes || look.title.toLowerCase().endsWith(look.unit) ? "" : look.unit;
  return (
    <tr className="group border-line border-b last:border-b-0 hover:bg-hover">
      <th
        scope="row"
        className="sticky left-0 max-w-72 break-words bg-surface group-hover:bg-hover px-3 py-1.5 align-top font-mono font-normal text-sm"
      >
        {row.name}
        {unit && <span className="block font-sans text-faint text-xs">{unit}</span>}
      </th>
      {columns.map((column, i) => (
        <td key={column.key} className="px-3 py-1.5 text-right align-top tabular-nums">
          <Value cell={row.cells[i]} row={row} baseline={column.baseline} />
        </td>
      ))}
    </tr>
  );
}

interface ValueProps {
  cell: MetricCell | null | undefined;
  row: MetricRow;
  baseline: boolean;
}

function Value({ cell, row, baseline }: ValueProps) {
  if (!cell) return <span title="Not reported">{UNKNOWN}</span>;
  const half =
    typeof cell.high === "number" && typeof cell.value === "number" ? cell.high - cell.value : 0;
  const written = metricFormat(row.name);
  return (
    <span title={cell.note || undefined} className="flex flex-col items-end whitespace-nowrap">
      <span>
        {cell.non_finite ?? written(cell.value)}
        {half > 0 && <span className="text-faint text-sm"> ± {short(half, written)}</span>}
      </span>
      {!baseline && (
        <Difference
          value={cell.delta}
          low={cell.delta_low}
          high={cell.delta_high}
          better={row.better}
          format={(value) => signed(value, (x) => short(x, written))}
          formatEnd={(value) => short(value, written)}
        />
      )}
    </span>
  );
}

type Format = (value: number | null | undefined) => string;

/** Bytes as such; everything else as plain numbers, so that small differences stay in sight. */
const metricFormat = (name: string): Format => (metricLook(name).spec?.bytes ? bytes : number);

/** Differences need fewer digits. */
function short(value: number, written: Format): string {
  if (written === number) return number(value, 3);
  return `${value < 0 ? "\u2212" : ""}${written(Math.abs(value))}`;
}

/** The table's figures, a column for each part. */
export function metricsTable(columns: readonly ComparedColumn[], rows: readonly MetricRow[]) {
  const parts = [
    "",
    " low",
    " high",
    " runs",
    " difference",
    " difference low",
    " difference high",
  ];
  const head = columns.flatMap((column) => parts.map((part) => `${column.label}${part}`));
  return [
    ["metric", ...head],
    ...rows.map((row) => [row.name, ...row.cells.flatMap((cell) => numbers(cell))]),
  ];
}

function numbers(cell: MetricCell | null): (number | string | null | undefined)[] {
  if (!cell) return [null, null, null, 0, null, null, null];
  const { value, low, high, n, delta, delta_low, delta_high } = cell;
  return [cell.non_finite ?? value, low, high, n, delta, delta_low, delta_high];
}
