/** From curves to what Plotly draws. */
import { smooth } from "../lib/smoothing";
import type { Curve, LiveState } from "../live/reducer";
import type { XAxis } from "../searches";
import type { Layout, Trace } from "./plot";
import type { ChartSpec } from "./specs";

export interface Colours {
  series: string[];
  text: string;
  faint: string;
  line: string;
  surface: string;
}

export interface View {
  x: XAxis;
  log: boolean;
  smoothing: number;
  range: [number, number] | null;
}

export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    series: [1, 2, 3, 4, 5, 6].map((n) => of(`--series-${n}`)),
    text: of("--text"),
    faint: of("--text-faint"),
    line: of("--line"),
    surface: of("--surface"),
  };
}

/** Tokens at each step by linear interpolation: the reduced curves need not share their steps. */
function tokensAt(steps: readonly number[], tokens: Curve | undefined): number[] {
  if (!tokens || tokens.steps.length === 0) return [...steps];
  const { steps: at, values } = tokens;
  let i = 0;
  return steps.map((step) => {
    while (i < at.length - 1 && (at[i + 1] ?? 0) <= step) i += 1;
    const left = at[i] ?? 0;
    const leftValue = step < left ? 0 : (values[i] ?? 0);
    const right = step < left ? left : at[i + 1];
    const rightValue = step < left ? values[i] : values[i + 1];
    const start = step < left ? 0 : left;
    if (right === undefined || typeof rightValue !== "number" || right === start) return leftValue;
    return leftValue + ((step - start) / (right - start)) * (rightValue - leftValue);
  });
}

export function xValues(curve: Curve, axis: XAxis, state: LiveState): number[] {
  if (axis === "step") return [...curve.steps];
  if (axis === "tokens") return tokensAt(curve.steps, state.curves["train/tokens"]);
  const start = firstTime(state);
  return curve.times.map((time) => time - start);
}

function firstTime(state: LiveState): number {
  const starts = Object.values(state.curves).map((curve) => curve.times[0] ?? Infinity);
  return Math.min(...starts);
}

/** Plotly does not read `color-mix`, so a token's hex colour gets its alpha here. */
function alpha(hex: string, opacity: number): string {
  const parts = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(hex);
  if (!parts) return hex;
  const [r, g, b] = parts.slice(1).map((part) => Number.parseInt(part, 16));
  return `rgba(${r},${g},${b},${opacity})`;
}

export function traces(spec: ChartSpec, state: LiveState, view: View, colours: Colours): Trace[] {
  const raw: Trace[] = [];
  const smoothed: Trace[] = [];
  const marks: Trace[] = [];
  const averaged = view.smoothing > 0 && !spec.markers && !spec.stacked && !spec.exact;
  for (const line of spec.lines) {
    const curve = state.curves[line.metric];
    if (!curve) continue;
    const colour = colours.series[line.colour % colours.series.length] ?? colours.text;
    const allX = xValues(curve, view.x, state);
    const [first, end] = visible(allX, view.range);
    const base: Trace = {
      type: "scatter",
      mode: spec.markers ? "lines+markers" : "lines",
      name: line.label,
      x: allX.slice(first, end),
      y: curve.values.slice(first, end),
      line: { color: colour, width: 1.5 },
      connectgaps: false,
      hovertemplate: `%{y:.4~g}<extra>${spec.lines.length > 1 ? line.label : ""}</extra>`,
    };
    if (spec.markers) base.marker = { color: colour, size: 6 };
    if (spec.stacked) {
      base.stackgroup = "parts";
      base.fillcolor = alpha(colour, 0.35);
      base.line = { color: colour, width: 1 };
    }
    if (averaged) {
      const { hovertemplate: _, ...silent } = base;
      raw.push({ ...silent, line: { color: alpha(colour, 0.28), width: 1 }, hoverinfo: "skip" });
      const y = smooth(curve.values, view.smoothing).slice(first, end);
      smoothed.push({ ...base, y, line: { color: colour, width: 1.75 } });
    } else raw.push(base);
    marks.push(...nonFiniteMarks(curve, allX, [first, end], colour, line.label));
  }
  return [...raw, ...smoothed, ...marks];
}

/** Crosses where the curve has a gap, as high as the value before it, that say what was there. */
function nonFiniteMarks(
  curve: Curve,
  x: readonly number[],
  [first, end]: [number, number],
  colour: string,
  label: string,
): Trace[] {
  const places: Record<string, Trace> = {};
  for (let i = first; i < end; i += 1) {
    const name = curve.nonFinite?.[curve.steps[i] ?? -1];
    if (name === undefined) continue;
    places[name] ??= {
      type: "scatter",
      mode: "markers",
      name: `${label}: ${name}`,
      x: [],
      y: [],
      marker: { color: colour, size: 8, symbol: "x" },
      hovertemplate: `${name}<extra>${label}</extra>`,
    };
    const before = curve.values.slice(0, i).findLast((value) => value !== null);
    places[name].x.push(x[i] ?? 0);
    places[name].y.push(before ?? curve.values.find((value) => value !== null) ?? 0);
  }
  return Object.values(places);
}

/** Which points a zoom shows, with a neighbour on either side, so that lines reach the edge. */
function visible(x: readonly number[], range: View["range"]): [number, number] {
  if (!range) return [0, x.length];
  const first = x.findIndex((value) => value >= range[0]);
  const last = x.findLastIndex((value) => value <= range[1]);
  if (first < 0 || last < 0) return [0, x.length];
  return [Math.max(0, first - 1), Math.min(x.length, last + 2)];
}

/** Between a few whole steps Plotly would put ticks at halves, which read as steps twice. */
function wholeTicks(data: readonly Trace[], view: View): { dtick?: number } {
  if (view.x !== "step" || view.range) return {};
  const ends = data.flatMap(({ x }) => [x[0] ?? 0, x.at(-1) ?? 0]);
  return Math.max(...ends) - Math.min(...ends) < 8 ? { dtick: 1 } : {};
}

export function layout(
  spec: ChartSpec,
  view: View,
  colours: Colours,
  data: readonly Trace[],
): Layout {
  const axis = {
    gridcolor: colours.line,
    linecolor: colours.line,
    zeroline: false,
    tickfont: { color: colours.faint, size: 11 },
    ticks: "",
    automargin: true,
  };
  const log = view.log && !spec.plain && !spec.stacked;
  return {
    height: 208,
    margin: { l: 44, r: 10, t: 6, b: 24, pad: 4 },
    paper_bgcolor: colours.surface,
    plot_bgcolor: colours.surface,
    font: { family: "Inter Variable, sans-serif", size: 11, color: colours.text },
    showlegend: false,
    hovermode: "x",
    hoverlabel: {
      bgcolor: colours.surface,
      bordercolor: colours.line,
      font: { color: colours.text, size: 11, family: "Inter Variable, sans-serif" },
    },
    dragmode: "zoom",
    xaxis: {
      ...axis,
      showgrid: false,
      nticks: 7,
      ...wholeTicks(data, view),
      ...(view.x === "step"
        ? { tickformat: ",d" }
        : { tickformat: "~s", ticksuffix: view.x === "time" ? " s" : "" }),
      ...(view.range ? { range: view.range, autorange: false } : { autorange: true }),
    },
    yaxis: {
      ...axis,
      nticks: 5,
      fixedrange: true,
      type: log ? "log" : "linear",
      exponentformat: "e",
      ...(spec.stacked || spec.fromZero ? { rangemode: "tozero" } : {}),
      ...(spec.tick ? { tickformat: spec.tick } : {}),
    },
  };
}
