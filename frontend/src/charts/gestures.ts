/** What mouse and keyboard do on a chart. */
import type { Range } from "./curve";
import { domainOf } from "./frame";
import { leading, logX, reading } from "./layers";
import type { ChartPlot } from "./plot";

/** After the last turn of a wheel or stroke of a key, the page is told. */
const REST_MS = 350;
/** A shorter stroke is a click. */
const LEAST_PX = 4;
/** No zoom goes deeper than this share of everything. */
const DEEPEST = 1e-6;

/** Scales a range around a place in it, within all there is. */
export function zoomed(range: Range, whole: Range, by: number, around: number): Range | null {
  const width = Math.max((range[1] - range[0]) * by, (whole[1] - whole[0]) * DEEPEST);
  if (width >= whole[1] - whole[0]) return null;
  const share = (around - range[0]) / (range[1] - range[0]);
  return inside([around - share * width, around + (1 - share) * width], whole);
}

/** Moves a range, up to the ends of all there is. */
export function panned(range: Range, whole: Range, by: number): Range {
  return inside([range[0] + by, range[1] + by], whole);
}

function inside([low, high]: Range, [first, last]: Range): Range {
  const shift = low < first ? first - low : high > last ? last - high : 0;
  return [Math.max(first, low + shift), Math.min(last, high + shift)];
}

class Hand {
  private readonly plot: ChartPlot;
  private readonly box: HTMLElement;
  private timer = 0;
  private start: { x: number; range: Range; pans: boolean } | null = null;

  constructor(plot: ChartPlot, box: HTMLElement) {
    this.plot = plot;
    this.box = box;
  }

  private pixel(event: MouseEvent): number {
    const at = event.clientX - this.plot.canvas.getBoundingClientRect().left;
    const { frame } = this.plot;
    return frame ? Math.min(frame.right, Math.max(frame.left, at)) : at;
  }

  /** Shows a range in all charts of the group; the page is told when the hand rests. */
  private show(range: Range | null, pause = REST_MS): void {
    const { group, events } = this.plot;
    group.move(range);
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => events.onRange(range), pause);
  }

  /** Shifted pixels instead of values, so that a logarithmic axis moves evenly. */
  private shifted(range: Range, share: number): Range {
    const { model } = this.plot;
    const whole = domainOf(model);
    if (!logX(model.view)) return panned(range, whole, share * (range[1] - range[0]));
    const log = ([low, high]: Range): Range => [Math.log(low), Math.log(high)];
    const moved = log(range);
    const [low, high] = panned(moved, log(whole), share * (moved[1] - moved[0]));
    return [Math.exp(low), Math.exp(high)];
  }

  private scaled(by: number, around: number): Range | null {
    return zoomed(this.plot.shown(), domainOf(this.plot.model), by, around);
  }

  readonly down = (event: PointerEvent): void => {
    if (event.button !== 0 || !this.plot.frame) return;
    const pans = event.shiftKey;
    this.start = { x: this.pixel(event), range: this.plot.shown(), pans };
    this.plot.canvas.setPointerCapture(event.pointerId);
  };

  readonly move = (event: PointerEvent): void => {
    const { frame, group } = this.plot;
    if (!frame) return;
    const x = this.pixel(event);
    if (this.start?.pans) {
      const share = (this.start.x - x) / (frame.right - frame.left);
      this.show(this.shifted(this.start.range, share));
      return;
    }
    if (this.start) this.mark(Math.min(x, this.start.x), Math.abs(x - this.start.x));
    group.hover(frame.fromX(x));
  };

  readonly up = (event: PointerEvent): void => {
    const { start } = this;
    const { frame } = this.plot;
    this.start = null;
    this.mark(0, 0);
    if (!start || !frame || start.pans) return;
    const x = this.pixel(event);
    if (Math.abs(x - start.x) < LEAST_PX) return;
    const [low, high] = [Math.min(x, start.x), Math.max(x, start.x)].map(frame.fromX);
    if (low !== undefined && high !== undefined) this.show([low, high], 0);
  };

  readonly leave = (): void => {
    if (!this.start) this.plot.group.hover(null);
  };

  readonly cancel = (): void => {
    this.start = null;
    this.mark(0, 0);
  };

  readonly reset = (): void => this.show(null, 0);

  /** With Ctrl or Cmd the wheel zooms, sideways it pans; else the page scrolls as ever. */
  readonly wheel = (event: WheelEvent): void => {
    const { frame } = this.plot;
    if (!frame) return;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.show(this.scaled(Math.exp(event.deltaY / 300), frame.fromX(this.pixel(event))));
    } else if (sideways && this.plot.shown() !== domainOf(this.plot.model)) {
      event.preventDefault();
      this.show(this.shifted(this.plot.shown(), event.deltaX / (frame.right - frame.left)));
    }
  };

  readonly key = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = this.keys()[event.shiftKey ? `Shift ${event.key}` : event.key];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };

  private keys(): Record<string, () => void> {
    const middle = () => {
      const [low, high] = this.plot.shown();
      return this.plot.group.hovered ?? (low + high) / 2;
    };
    const zoom = (by: number) => () => this.show(this.scaled(by, middle()));
    const pan = (share: number) => () => this.show(this.shifted(this.plot.shown(), share));
    return {
      "+": zoom(0.5),
      "Shift +": zoom(0.5),
      "=": zoom(0.5),
      "-": zoom(2),
      "0": this.reset,
      ArrowLeft: () => this.stepBy(-1),
      ArrowRight: () => this.stepBy(1),
      "Shift ArrowLeft": pan(-0.2),
      "Shift ArrowRight": pan(0.2),
    };
  }

  /** The crosshair goes to the point before or after. */
  private stepBy(by: number): void {
    const { group, model } = this.plot;
    const [low, high] = this.plot.shown();
    const layer = leading(model.layers, [low, high]);
    if (!layer) return;
    const from = group.hovered ?? (by > 0 ? low : high);
    const { at } = reading(layer, from);
    const near = layer.series.x[at];
    const inSight = near !== undefined && near >= low && near <= high;
    const x = layer.series.x[group.hovered === null && inSight ? at : at + by];
    if (x !== undefined && x >= low && x <= high) group.hover(x);
  }

  /** The part that is being selected. */
  private mark(left: number, width: number): void {
    const { frame } = this.plot;
    Object.assign(this.box.style, {
      display: width >= LEAST_PX ? "block" : "none",
      left: `${left}px`,
      width: `${width}px`,
      top: `${frame?.top ?? 0}px`,
      height: `${(frame?.bottom ?? 0) - (frame?.top ?? 0)}px`,
    });
  }

  rest(): void {
    clearTimeout(this.timer);
  }
}

/** Attaches them; the answer takes them off. The selection is drawn in the canvas's next sibling. */
export function gestures(plot: ChartPlot): () => void {
  const { canvas } = plot;
  const box = canvas.nextElementSibling as HTMLElement;
  const hand = new Hand(plot, box);
  const on: [string, (event: never) => void][] = [
    ["pointerdown", hand.down],
    ["pointermove", hand.move],
    ["pointerup", hand.up],
    ["pointercancel", hand.cancel],
    ["pointerleave", hand.leave],
    ["dblclick", hand.reset],
    ["wheel", hand.wheel],
    ["keydown", hand.key],
    ["blur", hand.leave],
  ];
  for (const [kind, handler] of on) {
    canvas.addEventListener(kind, handler as EventListener, { passive: false });
  }
  return () => {
    hand.rest();
    for (const [kind, handler] of on) canvas.removeEventListener(kind, handler as EventListener);
  };
}
