/** From the server's curves to what a chart draws. */
import type { ComparedColumn, ComparedCurve } from "../api/types";
import type { CurveSeries } from "../charts/curve";
import { type ChartSpec, chartGroups } from "../charts/specs";
import { plural } from "../lib/format";
import { runStyles } from "../lib/runColour";

export interface MetricLook extends Pick<ChartSpec, "unit" | "format"> {
  title: string;
  spec: ChartSpec | undefined;
}

/** A metric as the charts of a run call it; it may be one of several lines there. */
export function metricLook(name: string): MetricLook {
  const spec = chartGroups([name]).flatMap((group) => group.charts)[0];
  const line = spec?.lines[0]?.label;
  const title = spec === undefined ? name : spec.title;
  return {
    title: line && line !== title && title !== name ? `${title}: ${line}` : title,
    unit: spec?.unit ?? "",
    format: spec?.format ?? String,
    spec,
  };
}

/**
 * What tells columns apart, for legends: of `method=a,task=t` and `method=b,task=t` only the method.
 */
export function legendLabels(columns: readonly ComparedColumn[]): Record<string, string> {
  const split = columns.map((column) => column.label.split(","));
  const alike = (split[0] ?? []).filter((part) => split.every((parts) => parts.includes(part)));
  const shorten = (parts: string[]) => parts.filter((part) => !alike.includes(part)).join(",");
  return Object.fromEntries(
    columns.map((column, i) => {
      const label = (columns.length > 1 && shorten(split[i] ?? [])) || column.label;
      const seeds = column.runs.length;
      return [column.key, seeds > 1 ? `${label} (${plural(seeds, "seed")})` : label];
    }),
  );
}

/** A curve for each column that has one, in the columns' order and colours. */
export function comparedSeries(
  columns: readonly ComparedColumn[],
  curves: readonly ComparedCurve[],
  spec: ChartSpec | undefined,
): CurveSeries[] {
  const styles = runStyles(columns.map((column) => column.key));
  const labels = legendLabels(columns);
  return columns.flatMap((column) => {
    const curve = curves.find((one) => one.key === column.key);
    const style = styles[column.key];
    if (!curve || !style) return [];
    return [
      {
        id: column.key,
        label: labels[column.key] ?? column.label,
        colour: style.colour,
        ...(style.dash ? { dash: style.dash } : {}),
        x: curve.x,
        y: curve.values,
        ...(curve.low && curve.high ? { low: curve.low, high: curve.high } : {}),
        counts: curve.counts,
        ...(spec?.markers ? { markers: true } : {}),
        ...(spec?.exact ? { exact: true } : {}),
        ...(curve.non_finite.length
          ? { nonFinite: curve.non_finite.map(({ x, value }) => ({ x, name: value })) }
          : {}),
      },
    ];
  });
}

/** Columns without a curve, by what they are called. */
export const lacking = (
  columns: readonly ComparedColumn[],
  curves: readonly ComparedCurve[],
): string[] =>
  columns
    .filter((column) => !curves.some((curve) => curve.key === column.key))
    .map((column) => column.label);
