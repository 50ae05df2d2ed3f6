/** The part of Plotly that the wrapper uses; the minified bundle brings no types. */
declare module "plotly.js-cartesian-dist-min" {
  import type { Config, Layout, Trace } from "./plot";

  export interface PlotElement extends HTMLElement {
    on(event: "plotly_hover", handler: (event: { points: { x: number }[] }) => void): void;
    on(event: "plotly_unhover" | "plotly_doubleclick", handler: () => void): void;
    on(event: "plotly_relayout", handler: (change: Record<string, unknown>) => void): void;
    readonly _fullLayout?: {
      xaxis: { l2p(x: number): number; _offset: number; range: [number, number] };
      _size: { t: number; h: number };
    };
  }

  const Plotly: {
    react(
      root: HTMLElement,
      data: readonly Trace[],
      layout: Layout,
      config: Config,
    ): Promise<PlotElement>;
    purge(root: HTMLElement): void;
    Plots: { resize(root: HTMLElement): Promise<void> };
  };
  export default Plotly;
}
