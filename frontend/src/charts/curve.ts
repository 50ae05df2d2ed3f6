/** What a chart is given: plain columns, whoever brought them. */

export type Range = readonly [low: number, high: number];

/** What a horizontal axis counts; decides where its ticks fall and how they read. */
export type XKind = "step" | "number" | "seconds" | "date";

export interface CurveSeries {
  readonly id: string;
  readonly label: string;
  /** A CSS colour or `var(--token)`, which is looked up when the chart is drawn. */
  readonly colour: string;
  /** As in SVG's `stroke-dasharray`; absent or empty: a whole line. */
  readonly dash?: string;
  /** Ascending. */
  readonly x: readonly number[];
  /** As long as `x`; null is a gap. */
  readonly y: readonly (number | null)[];
  /** Least and greatest of what each point stands for: drawn as a band. */
  readonly low?: readonly (number | null)[];
  readonly high?: readonly (number | null)[];
  /** How many measurements each point stands for, where it is not one: smoothing counts them. */
  readonly counts?: readonly number[];
  /** Thin and pale: an earlier attempt, or one member of a group. */
  readonly faint?: boolean;
  /** Stands on the stacked series before it, filled. */
  readonly stacked?: boolean;
  /** Points are few and each counts: they get dots. */
  readonly markers?: boolean;
  /** What is set or counted, not measured: smoothing leaves it alone. */
  readonly exact?: boolean;
  /** Values that are no numbers, by x: they get a cross. */
  readonly nonFinite?: readonly { readonly x: number; readonly name: string }[];
}

/** Something that happened at one x: a line through the chart with a flag. */
export interface Pin {
  readonly id: string;
  readonly x: number;
  readonly text: string;
  readonly tone: "warn" | "bad" | "plain";
}

/** How the charts of a page are looked at; the same for all of them. */
export interface ChartView {
  /** Weight of the exponential moving average, 0 to 0.99. */
  readonly smoothing: number;
  /** Logarithmic vertical axis. */
  readonly log: boolean;
  /** Logarithmic horizontal axis. */
  readonly logX: boolean;
  readonly xKind: XKind;
  /** Part of the horizontal axis that is shown; null: all of it. */
  readonly range: Range | null;
  /** Whether the vertical axis leaves out the few values far from all others. */
  readonly clip: boolean;
}

export const PLAIN_VIEW: ChartView = {
  smoothing: 0,
  log: false,
  logX: false,
  xKind: "number",
  range: null,
  clip: false,
};
