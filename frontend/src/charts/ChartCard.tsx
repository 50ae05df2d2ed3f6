import type { PlotElement } from "plotly.js-cartesian-dist-min";
import { useMemo, useRef, useState } from "react";
import type { LiveState } from "../live/reducer";
import { nearest, setHovered, useHovered } from "./crosshair";
import { Plot } from "./Plot";
import type { ChartLine, ChartSpec } from "./specs";
import { type Colours, layout, traces, type View, xValues } from "./traces";

interface ChartCardProps {
  spec: ChartSpec;
  state: LiveState;
  view: View;
  colours: Colours;
  onRange: (range: [number, number] | null) => void;
}

export function ChartCard({ spec, state, view, colours, onRange }: ChartCardProps) {
  const [plot, setPlot] = useState<PlotElement | null>(null);
  const zoom = useRef(onRange);
  zoom.current = onRange;
  const data = useMemo(() => traces(spec, state, view, colours), [spec, state, view, colours]);
  const shape = useMemo(() => layout(spec, view, colours, data), [spec, view, colours, data]);

  const onReady = (element: PlotElement) => {
    element.on("plotly_hover", ({ points }) => setHovered(points[0]?.x ?? null));
    element.on("plotly_unhover", () => setHovered(null));
    element.on("plotly_doubleclick", () => zoom.current(null));
    element.on("plotly_relayout", (change) => {
      const [low, high] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
      if (typeof low === "number" && typeof high === "number") zoom.current([low, high]);
    });
    setPlot(element);
  };

  return (
    <figure className="panel flex min-w-0 flex-col overflow-hidden">
      <figcaption className="flex min-h-9 flex-wrap items-baseline gap-x-2 px-3 pt-2.5">
        <span className="max-w-full truncate font-medium" title={spec.title}>
          {spec.title}
        </span>
        {spec.unit && <span className="shrink-0 text-faint text-xs">{spec.unit}</span>}
        <span className="ml-auto flex flex-wrap justify-end gap-x-3 text-sm tabular-nums">
          {spec.lines.map((line) => (
            <Reading key={line.metric} line={line} spec={spec} state={state} view={view} />
          ))}
        </span>
      </figcaption>
      <div className="relative mt-auto">
        <Plot
          testId={`chart-${spec.id}`}
          label={`${spec.title} over ${view.x}`}
          data={data}
          layout={shape}
          onReady={onReady}
        />
        <Crosshair plot={plot} />
      </div>
    </figure>
  );
}

interface ReadingProps {
  line: ChartLine;
  spec: ChartSpec;
  state: LiveState;
  view: View;
}

/** The value under the pointer of any chart, else the latest. */
function Reading({ line, spec, state, view }: ReadingProps) {
  const hovered = useHovered();
  const curve = state.curves[line.metric];
  const at = (() => {
    if (!curve) return -1;
    if (hovered === null) return curve.values.length - 1;
    return nearest(view.x === "step" ? curve.steps : xValues(curve, view.x, state), hovered);
  })();
  const alone = spec.lines.length === 1;
  return (
    <span className="inline-flex items-baseline gap-1.5 whitespace-nowrap">
      {!alone && (
        <>
          <span
            aria-hidden="true"
            className="size-2 self-center rounded-full"
            style={{ background: `var(--series-${(line.colour % 6) + 1})` }}
          />
          <span className="text-muted text-xs">{line.label}</span>
        </>
      )}
      <span className={alone ? "font-medium" : ""}>{spec.format(curve?.values[at])}</span>
    </span>
  );
}

/** A line at the shared x, also in the charts where the pointer is not. */
function Crosshair({ plot }: { plot: PlotElement | null }) {
  const hovered = useHovered();
  const shape = plot?._fullLayout;
  if (hovered === null || !shape) return null;
  const [low, high] = shape.xaxis.range;
  if (hovered < low || hovered > high) return null;
  return (
    <div
      aria-hidden="true"
      className="pointer-events-none absolute w-px bg-line-strong"
      style={{
        left: shape.xaxis._offset + shape.xaxis.l2p(hovered),
        top: shape._size.t,
        height: shape._size.h,
      }}
    />
  );
}
