import { ZoomOut } from "lucide-react";
import { useMemo } from "react";
import { isLive } from "../api/comparisons";
import type { RunComparison } from "../api/types";
import { X_KINDS } from "../charts/axes";
import { Smoothing } from "../charts/ChartControls";
import type { ChartView } from "../charts/curve";
import { Button, Segmented, Switch } from "../components/ui";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { type BandKind, type CompareSearch, X_AXES, type XAxis } from "../searches";
import { CompareChart, type CurvesOf } from "./CompareChart";
import type { OnSearch } from "./ComparePage";
import { MetricPicker } from "./MetricPicker";
import { Section } from "./Section";
import { MOST_CHARTS, metricsOf } from "./selection";

interface CurvesSectionProps {
  comparison: RunComparison;
  search: CompareSearch;
  onSearch: OnSearch;
  query: CurvesOf;
}

const AXES: { value: XAxis; label: string; title: string }[] = [
  { value: "step", label: "Step", title: "Optimizer steps" },
  { value: "tokens", label: "Tokens", title: "Completion tokens so far" },
  { value: "epoch", label: "Epoch", title: "Passes over the records so far" },
  { value: "time", label: "Relative", title: "Time since the run's start" },
  { value: "wall", label: "Wall clock", title: "Date and time" },
];

const BAND_WORDS: { value: BandKind; label: string; title: string }[] = [
  { value: "sd", label: "± SD", title: "Mean ± standard deviation over seeds" },
  { value: "range", label: "Range", title: "Lowest to highest seed" },
  { value: "interval", label: "95 %", title: "95 % interval of the mean (Student's t)" },
];

/** The runs' curves over each other. */
export function CurvesSection({ comparison, search, onSearch, query }: CurvesSectionProps) {
  const names = useMemo(() => comparison.metrics.map((row) => row.name), [comparison.metrics]);
  const metrics = metricsOf(search, names);
  const view = useView(search);
  const live = isLive(comparison);
  const setMetrics = (next: readonly string[]) => onSearch({ charts: next.join(",") });
  return (
    <Section
      title="Curves"
      tools={
        <MetricPicker names={names} chosen={metrics} most={MOST_CHARTS} onChange={setMetrics} />
      }
    >
      <Controls
        search={search}
        onSearch={onSearch}
        seeds={comparison.columns.some((column) => column.runs.length > 1)}
      />
      {metrics.length === 0 && (
        <p className="panel px-3 py-6 text-center text-muted">
          {names.length === 0
            ? "None of these runs has reported a metric yet."
            : "No metric is chosen."}
        </p>
      )}
      <div className="grid gap-3 md:grid-cols-2 2xl:grid-cols-3">
        {metrics.map((name) => (
          <CompareChart
            key={name}
            name={name}
            query={query}
            columns={comparison.columns}
            axis={search.x ?? "step"}
            spread={search.band ?? "sd"}
            view={view}
            live={live}
            onRange={(range) => onSearch({ from: tidy(range?.[0]), to: tidy(range?.[1]) })}
            onRemove={() => setMetrics(metrics.filter((one) => one !== name))}
          />
        ))}
      </div>
    </Section>
  );
}

/** A link need not carry more of a zoom than the eye can tell. */
const tidy = (value: number | undefined) =>
  value === undefined ? undefined : Number(value.toPrecision(12));

function useView(search: CompareSearch): ChartView {
  const { log = false, smooth = 0, x = "step", from, to } = search;
  return useMemo(
    () => ({
      smoothing: smooth,
      log,
      logX: false,
      xKind: X_KINDS[x],
      range: from !== undefined && to !== undefined && from < to ? ([from, to] as const) : null,
      clip: false,
    }),
    [smooth, log, x, from, to],
  );
}

const KEYS = {
  title: "Compare",
  keys: [
    [["l"], "Logarithmic y axes"],
    [["x"], "Next x axis"],
  ],
} as const;

interface ControlsProps {
  search: CompareSearch;
  onSearch: OnSearch;
  seeds: boolean;
}

function Controls({ search, onSearch, seeds }: ControlsProps) {
  const x = search.x ?? "step";
  const setX = (next: XAxis) =>
    onSearch({ x: next === "step" ? undefined : next, from: undefined, to: undefined });
  const setLog = (log: boolean) => onSearch({ log: log || undefined });
  useKeys({
    l: () => setLog(!search.log),
    x: () => setX(X_AXES[(X_AXES.indexOf(x) + 1) % X_AXES.length] ?? "step"),
  });
  useKeyHelp(KEYS);
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2 print:hidden">
      <Smoothing
        value={search.smooth ?? 0}
        onChange={(smooth) => onSearch({ smooth: smooth || undefined })}
      />
      <Segmented label="Horizontal axis" value={x} options={AXES} onChange={setX} small />
      <Switch checked={search.log ?? false} onChange={setLog}>
        Log scale
      </Switch>
      {seeds && (
        <Segmented
          small
          label="Band of seeds"
          value={search.band ?? "sd"}
          options={BAND_WORDS}
          onChange={(band) => onSearch({ band: band === "sd" ? undefined : band })}
        />
      )}
      {search.from !== undefined && (
        <Button small onClick={() => onSearch({ from: undefined, to: undefined })}>
          <ZoomOut aria-hidden="true" className="size-3.5" />
          Whole range
        </Button>
      )}
    </div>
  );
}
