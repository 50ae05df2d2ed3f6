/** Shapes that are given to Plotly. */

export interface Trace {
  type: "scatter";
  mode: "lines" | "markers" | "lines+markers";
  name: string;
  x: number[];
  y: (number | null)[];
  line?: { color: string; width: number };
  marker?: { color: string; size: number; symbol?: "x" };
  opacity?: number;
  fill?: "tonexty" | "tozeroy";
  fillcolor?: string;
  stackgroup?: string;
  hovertemplate?: string;
  hoverinfo?: "skip";
  showlegend?: boolean;
  connectgaps?: false;
}

export type Layout = Record<string, unknown>;
export type Config = Record<string, unknown>;
