import type { PlotElement } from "plotly.js-cartesian-dist-min";
import { useCallback, useEffect, useRef } from "react";
import type { Layout, Trace } from "./plot";

const plotly = import("plotly.js-cartesian-dist-min").then((module) => module.default);
const CONFIG = { displayModeBar: false, responsive: false, doubleClick: false };
const OFFSCREEN_MS = 1500;

interface PlotProps {
  testId: string;
  label: string;
  data: Trace[];
  layout: Layout;
  onReady?: (element: PlotElement) => void;
}

/** Plotly in React: draws at once what is in view, and what is not at a slower pace. */
export function Plot({ testId, label, data, layout, onReady }: PlotProps) {
  const root = useRef<HTMLDivElement>(null);
  const visible = useRef(true);
  const drawn = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  const latest = useRef({ data, layout, onReady });
  latest.current = { data, layout, onReady };

  const draw = useCallback(async () => {
    if (timer.current) clearTimeout(timer.current);
    timer.current = null;
    const Plotly = await plotly;
    if (!root.current) return;
    const plot = await Plotly.react(
      root.current,
      latest.current.data,
      latest.current.layout,
      CONFIG,
    );
    if (!drawn.current) latest.current.onReady?.(plot);
    drawn.current = true;
  }, []);

  useEffect(() => {
    const element = root.current;
    if (!element) return;
    const seen = new IntersectionObserver(([entry]) => {
      visible.current = entry?.isIntersecting ?? true;
      if (visible.current && timer.current) void draw();
    });
    const sized = new ResizeObserver(() => {
      if (drawn.current) void plotly.then((Plotly) => Plotly.Plots.resize(element));
    });
    seen.observe(element);
    sized.observe(element);
    return () => {
      seen.disconnect();
      sized.disconnect();
      if (timer.current) clearTimeout(timer.current);
      timer.current = null;
      drawn.current = false;
      void plotly.then((Plotly) => Plotly.purge(element));
    };
  }, [draw]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `latest` holds what is to be drawn
  useEffect(() => {
    if (visible.current || !drawn.current) void draw();
    else timer.current ??= setTimeout(() => void draw(), OFFSCREEN_MS);
  }, [data, layout, draw]);

  return (
    <div
      ref={root}
      role="img"
      aria-label={label}
      data-testid={testId}
      className="h-[208px] w-full"
    />
  );
}
