import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { asApiError } from "../api/client";
import { comparedCurvesQuery } from "../api/comparisons";
import type { ComparedColumn } from "../api/types";
import { X_LABELS } from "../charts/axes";
import { CurveChart } from "../charts/CurveChart";
import type { ChartView, Range } from "../charts/curve";
import { Skeleton } from "../components/ui";
import type { BandKind, XAxis } from "../searches";
import { comparedSeries, lacking, metricLook } from "./curveSeries";

/** Whose curves are asked for. */
export interface CurvesOf {
  run: string[];
  baseline?: string;
  seeds: boolean;
}

interface CompareChartProps {
  name: string;
  query: CurvesOf;
  columns: readonly ComparedColumn[];
  axis: XAxis;
  spread: BandKind;
  view: ChartView;
  live: boolean;
  onRange: (range: Range | null) => void;
  onRemove: () => void;
}

/** One metric of all runs; a zoom asks the server for the part that is shown. */
export function CompareChart(props: CompareChartProps) {
  const { name, columns, axis, spread, view, live } = props;
  const zoom = view.range ? { low: view.range[0], high: view.range[1] } : {};
  const found = useQuery(
    comparedCurvesQuery({ ...props.query, ...zoom, name, axis, spread, max_points: 1000 }, live),
  );
  const look = useMemo(() => metricLook(name), [name]);
  const items = found.data?.items;
  const series = useMemo(
    () => comparedSeries(columns, items ?? [], look.spec),
    [columns, items, look],
  );
  const shown = useMemo(
    () => (look.spec?.plain && view.log ? { ...view, log: false } : view),
    [look, view],
  );
  if (found.error && !found.data) {
    return (
      <p role="alert" className="panel flex h-[286px] items-center justify-center p-4 text-bad">
        {look.title}: {asApiError(found.error).message}
      </p>
    );
  }
  if (!items) return <Skeleton className="h-[286px]" />;
  const without = lacking(columns, items);
  return (
    <div className="flex min-w-0 flex-col gap-1">
      <CurveChart
        id={name}
        title={look.title}
        unit={look.unit}
        xLabel={axis === "time" ? "Time since the start of the run" : X_LABELS[axis]}
        series={series}
        view={shown}
        onRange={props.onRange}
        format={look.format}
        tick={look.spec?.tick}
        fromZero={look.spec?.fromZero}
        bytes={look.spec?.bytes}
        group="compare"
        actions={[{ label: "Take this chart away", onClick: props.onRemove }]}
      />
      {without.length > 0 && (
        <p className="px-3 text-faint text-xs">
          {view.range ? "No values here of " : "No values of "}
          {without.join(", ")}
        </p>
      )}
    </div>
  );
}
