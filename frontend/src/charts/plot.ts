/** A chart on a canvas: drawn when in sight, moved by the hand, together with its group. */
import { canvasPainter, measure } from "./canvas";
import type { Range } from "./curve";
import { type ChartModel, domainOf, type Frame, frameOf } from "./frame";
import { gestures } from "./gestures";
import { paint } from "./paint";
import { type Group, schedule, unschedule } from "./sync";

/** On paper two charts stand beside each other; a printer is finer than a screen. */
const PAPER = { width: 360, ratio: 3 };

export interface PlotEvents {
  /** A gesture has ended: this is what is to be shown, null for everything. */
  onRange: (range: Range | null) => void;
  /** The chart was drawn anew, or its crosshair moved. */
  onDrawn: (plot: ChartPlot) => void;
}

export class ChartPlot {
  model: ChartModel;
  frame: Frame | null = null;
  readonly canvas: HTMLCanvasElement;
  readonly group: Group;
  readonly events: PlotEvents;
  private seen = false;
  private range: Range | null | undefined;
  private readonly endings: (() => void)[] = [];
  private readonly colours = new Map<string, string>();

  constructor(canvas: HTMLCanvasElement, model: ChartModel, group: Group, events: PlotEvents) {
    this.canvas = canvas;
    this.model = model;
    this.group = group;
    this.events = events;
    const sight = new IntersectionObserver((entries) => {
      this.seen = entries.at(-1)?.isIntersecting ?? true;
      this.redraw();
    });
    const size = new ResizeObserver(() => this.redraw());
    sight.observe(canvas);
    size.observe(canvas);
    const paper = () => this.print();
    const screen = () => this.repaint();
    window.addEventListener("beforeprint", paper);
    window.addEventListener("afterprint", screen);
    this.endings.push(
      () => window.removeEventListener("beforeprint", paper),
      () => window.removeEventListener("afterprint", screen),
      () => sight.disconnect(),
      () => size.disconnect(),
      () => unschedule(this.draw),
      group.subscribe(() => this.moved()),
      gestures(this),
    );
  }

  set(model: ChartModel): void {
    this.model = model;
    this.redraw();
  }

  /** What is out of sight is drawn when it comes into sight. */
  redraw(): void {
    if (this.seen) schedule(this.draw);
  }

  /** After a change of theme: what the tokens stand for is looked up anew. */
  repaint(): void {
    this.colours.clear();
    this.redraw();
  }

  destroy(): void {
    for (const end of this.endings) end();
  }

  /** What is shown now: while a gesture lasts, what the hand says. */
  shown(): Range {
    const { range } = this.group;
    return (range === undefined ? this.model.view.range : range) ?? domainOf(this.model);
  }

  /** A CSS colour as a canvas reads it. */
  readonly colour = (css: string): string => {
    const token = /^var\((--[\w-]+)\)$/.exec(css)?.[1];
    if (!token) return css;
    const known = this.colours.get(token);
    if (known) return known;
    const found = getComputedStyle(this.canvas).getPropertyValue(token).trim() || "#888888";
    this.colours.set(token, found);
    return found;
  };

  private moved(): void {
    if (this.group.range !== this.range) {
      this.range = this.group.range;
      this.redraw();
    } else if (this.seen && this.frame) this.events.onDrawn(this);
  }

  /** At once, wherever it is: what was never in sight is on the paper too, in the paper's colours. */
  private print(): void {
    this.colours.clear();
    this.drawAt(PAPER.width, this.canvas.clientHeight, PAPER.ratio);
  }

  private readonly draw = (): number => {
    const { clientWidth, clientHeight } = this.canvas;
    return this.drawAt(clientWidth, clientHeight, window.devicePixelRatio || 1);
  };

  private drawAt(width: number, height: number, ratio: number): number {
    const { canvas } = this;
    const ctx = canvas.getContext("2d");
    if (!ctx || !width || !height) return 0;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
    }
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    this.frame = frameOf(this.model, { width, height }, this.shown(), measure);
    const points = paint(canvasPainter(ctx, this.colour, ratio), this.model, this.frame);
    this.events.onDrawn(this);
    return points;
  }
}
