import { Maximize2 } from "lucide-react";
import { useMemo, useState } from "react";
import { Dialog } from "../components/Dialog";
import { IconButton } from "../components/ui";
import { number } from "../lib/format";
import { type ChartAction, ChartMenu } from "./ChartMenu";
import type { ChartView, CurveSeries, Pin, Range } from "./curve";
import { downloadCsv, downloadPng, downloadSvg } from "./exports";
import type { ChartModel } from "./frame";
import { Legend, Reading } from "./Legend";
import { layers } from "./layers";
import { Plotted } from "./Plotted";

export interface CurveChartProps {
  /** Names the chart in tests (`data-testid="chart-<id>"`) and among its group. */
  id: string;
  title: string;
  /** What the vertical axis counts; the axis says the title where there is none. */
  unit?: string | undefined;
  /** What the horizontal axis counts, with its unit. */
  xLabel: string;
  series: readonly CurveSeries[];
  view: ChartView;
  /** A zoom or pan has ended: part of the horizontal axis, null for all of it. */
  onRange: (range: Range | null) => void;
  /** Of the plot, in pixels. */
  height?: number;
  /** Values as the legend says them. */
  format?: (value: number | null | undefined) => string;
  /** Values as the vertical axis says them; absent: as short as they can be told apart. */
  tick?: ((value: number) => string) | undefined;
  pins?: readonly Pin[];
  /** Zero is always in sight. */
  fromZero?: boolean | undefined;
  /** Values are bytes. */
  bytes?: boolean | undefined;
  /** Charts of one group share crosshair and zoom; their horizontal axes count the same. */
  group?: string;
  /** What else the menu offers, for example to hide the chart. */
  actions?: readonly ChartAction[];
  /** Whether it fills the screen; absent: the chart keeps that to itself. */
  enlarged?: boolean | undefined;
  onEnlarge?: ((enlarged: boolean) => void) | undefined;
}

const NO_PINS: readonly Pin[] = [];

/**
 * Curves over a common horizontal axis, from plain columns.
 *
 * Brings with it: crosshair and zoom shared by all charts of its `group` (drag zooms, Shift-drag and
 * sideways wheel pan, Ctrl-wheel zooms, a double click shows everything; on the keyboard `+` `-` `0`,
 * arrows move the crosshair, Shift-arrows pan), smoothing with the raw curve behind, bands where a
 * series has `low` and `high`, a legend that hides curves, full screen, and PNG, SVG and CSV. The
 * element `[data-testid="chart-<id>"]` has what is drawn as its property `data`. Give `series` and
 * `view` the same identity as long as they are the same: then nothing is computed anew.
 */
export function CurveChart(props: CurveChartProps) {
  const { title, series, group = "page", format = number } = props;
  const [own, setOwn] = useState(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const model = useModel(props, hidden);
  const enlarged = props.enlarged ?? own;
  const enlarge = props.onEnlarge ?? setOwn;
  const toggle = (id: string) =>
    setHidden((before) => {
      const after = new Set(before);
      if (!after.delete(id)) after.add(id);
      return after;
    });
  const picture = () => ({
    title,
    model,
    width: 800,
    height: 420,
    colour: (css: string) => colourOf(css),
  });
  const downloads: ChartAction[] = [
    { label: "Picture (PNG)", onClick: () => downloadPng(picture()) },
    { label: "Picture (SVG)", onClick: () => downloadSvg(picture()) },
    { label: "Numbers (CSV)", onClick: () => downloadCsv(title, model) },
  ];
  const legend = series.length > 1 && (
    <Legend
      series={series}
      layers={model.layers}
      hidden={hidden}
      onToggle={toggle}
      format={format}
      group={group}
    />
  );
  const plotted = (height: number | string, id: string) => (
    <Plotted
      id={id}
      title={title}
      model={model}
      height={height}
      group={group}
      onRange={props.onRange}
      format={format}
    />
  );
  return (
    <figure className="panel flex min-w-0 flex-col">
      <figcaption className="flex h-9 items-center gap-x-2 pr-1.5 pl-3">
        <span className="min-w-0 truncate font-medium" title={title}>
          {title}
        </span>
        <span className="ml-auto" />
        {series.length === 1 && <Reading layers={model.layers} format={format} group={group} />}
        <span className="flex shrink-0 text-faint print:hidden">
          <IconButton label={`Enlarge ${title}`} onClick={() => enlarge(true)}>
            <Maximize2 aria-hidden="true" className="size-3.5" />
          </IconButton>
          <ChartMenu
            title={title}
            groups={[downloads, ...(props.actions?.length ? [props.actions] : [])]}
          />
        </span>
      </figcaption>
      {legend}
      <div className="mt-auto">{plotted(props.height ?? 216, props.id)}</div>
      {enlarged && (
        <Dialog title={title} width="w-[calc(100vw-48px)]" onClose={() => enlarge(false)}>
          {legend}
          {plotted("calc(85vh - 120px)", `${props.id}-enlarged`)}
        </Dialog>
      )}
    </figure>
  );
}

function useModel(props: CurveChartProps, hidden: ReadonlySet<string>): ChartModel {
  const { title, unit, xLabel, series, view, pins = NO_PINS, tick } = props;
  const { fromZero = false, bytes = false } = props;
  const drawn = useMemo(
    () =>
      layers(
        series.filter((one) => !hidden.has(one.id)),
        view.smoothing,
      ),
    [series, hidden, view.smoothing],
  );
  return useMemo(
    () => ({
      layers: drawn,
      view,
      pins,
      xLabel,
      yLabel: unit || title,
      fromZero,
      bytes,
      tick,
    }),
    [drawn, view, pins, xLabel, unit, title, fromZero, bytes, tick],
  );
}

function colourOf(css: string): string {
  const token = /^var\((--[\w-]+)\)$/.exec(css)?.[1];
  if (!token) return css;
  return getComputedStyle(document.documentElement).getPropertyValue(token).trim() || "#888888";
}
