import { useEffect, useLayoutEffect, useRef } from "react";
import { useTheme } from "../lib/theme";
import type { Pin, Range } from "./curve";
import type { ChartModel } from "./frame";
import { leading, reading } from "./layers";
import { PIN_COLOURS } from "./paint";
import { ChartPlot } from "./plot";
import { groupOf } from "./sync";
import { momentText, plainTick, spanTick } from "./ticks";

interface PlottedProps {
  id: string;
  title: string;
  model: ChartModel;
  height: number | string;
  group: string;
  onRange: (range: Range | null) => void;
  format: (value: number | null | undefined) => string;
}

/** The canvas with what lies over it: selection, crosshair and flags. */
export function Plotted({ id, title, model, height, group, onRange, format }: PlottedProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const cross = useRef<HTMLDivElement>(null);
  const flags = useRef<HTMLDivElement>(null);
  const plot = useRef<ChartPlot | null>(null);
  const latest = useRef({ onRange, model });
  latest.current = { onRange, model };
  const theme = useTheme();

  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const made = new ChartPlot(element, latest.current.model, groupOf(group), {
      onRange: (range) => latest.current.onRange(range),
      onDrawn: (drawn) => overlay(drawn, cross.current, flags.current),
    });
    plot.current = made;
    return () => made.destroy();
  }, [group]);
  useLayoutEffect(() => {
    plot.current?.set(model);
    if (canvas.current) Object.assign(canvas.current, { data: drawnData(model) });
  }, [model]);
  const { range } = model.view;
  // biome-ignore lint/correctness/useExhaustiveDependencies: once the page knows the range, the hand's own is over
  useEffect(() => groupOf(group).move(undefined), [range, group]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are the theme's
  useEffect(() => plot.current?.repaint(), [theme]);

  return (
    <div className="relative" style={{ height }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={words(title, model, format)}
        tabIndex={0}
        data-testid={`chart-${id}`}
        className="block size-full touch-pan-y rounded-b-panel focus-visible:outline-offset-[-2px] print:object-contain"
      />
      <div
        aria-hidden="true"
        className="pointer-events-none absolute hidden border-accent border-x bg-accent/10"
      />
      <div
        ref={cross}
        aria-hidden="true"
        className="pointer-events-none absolute hidden w-px bg-line-strong print:hidden!"
      >
        <span className="absolute top-full left-1/2 mt-0.5 -translate-x-1/2 whitespace-nowrap rounded-[3px] bg-raised px-1 text-muted text-xs tabular-nums" />
      </div>
      <div ref={flags} className="print:hidden">
        {model.pins.map((pin) => (
          <Flag key={pin.id} pin={pin} />
        ))}
      </div>
    </div>
  );
}

function Flag({ pin }: { pin: Pin }) {
  return (
    <span
      role="img"
      aria-label={pin.text}
      title={pin.text}
      data-x={pin.x}
      className="absolute hidden size-2.5 -translate-x-1/2 cursor-help rounded-full border-2 border-surface"
      style={{ background: PIN_COLOURS[pin.tone] }}
    />
  );
}

/** Puts crosshair and flags where the drawing has their values. */
function overlay(plot: ChartPlot, cross: HTMLElement | null, flags: HTMLElement | null): void {
  const { frame, group, model } = plot;
  if (!frame || !cross || !flags) return;
  const { range, toX, top, bottom } = frame;
  const inside = (x: number) => x >= range[0] && x <= range[1];
  const { hovered } = group;
  const shown = hovered !== null && inside(hovered);
  cross.style.display = shown ? "block" : "none";
  if (shown) {
    const layer = leading(model.layers, range);
    const x = layer?.series.x[layer ? reading(layer, hovered).at : 0] ?? hovered;
    const at = inside(x) ? x : hovered;
    Object.assign(cross.style, {
      left: `${toX(at)}px`,
      top: `${top}px`,
      height: `${bottom - top}px`,
    });
    if (cross.firstElementChild) cross.firstElementChild.textContent = xText(at, model);
  }
  for (const flag of flags.children) {
    if (!(flag instanceof HTMLElement)) continue;
    const x = Number(flag.dataset.x);
    flag.style.display = inside(x) ? "block" : "none";
    flag.style.left = `${toX(x)}px`;
    flag.style.top = `${top - 4}px`;
  }
}

function xText(x: number, { view }: ChartModel): string {
  if (view.xKind === "date") return momentText(x);
  if (view.xKind === "seconds") return spanTick(x);
  return plainTick(x, view.xKind === "step" ? 1 : Math.abs(x) / 1000 || 1);
}

/** What a chart shows, for those who hear it. */
function words(
  title: string,
  { layers, xLabel }: ChartModel,
  format: PlottedProps["format"],
): string {
  const said = layers.slice(0, 8).map((layer) => {
    const name = layers.length > 1 ? `${layer.series.label}: ` : "";
    return `${name}latest ${format(reading(layer, null).value)}`;
  });
  return `${title} over ${xLabel.toLowerCase()}. ${said.join("; ")}`;
}

function drawnData({ layers }: ChartModel) {
  return layers.map(({ series }) => ({
    id: series.id,
    name: series.label,
    x: series.x,
    y: series.y,
    low: series.low,
    high: series.high,
  }));
}
