/** Lines and bands as paths, for a canvas (`Path2D`) and for SVG alike. */

export interface Sink {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

/** The `d` of an SVG path. */
export class SvgPath implements Sink {
  private readonly parts: string[] = [];
  moveTo(x: number, y: number): void {
    this.parts.push(`M${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  lineTo(x: number, y: number): void {
    this.parts.push(`L${x.toFixed(1)} ${y.toFixed(1)}`);
  }
  closePath(): void {
    this.parts.push("Z");
  }
  toString(): string {
    return this.parts.join("");
  }
}

type Values = readonly (number | null | undefined)[];
type Place = (value: number) => number;

export interface Slice {
  readonly x: readonly number[];
  readonly first: number;
  readonly end: number;
  readonly toX: Place;
  readonly toY: Place;
  /** Width of a column, in CSS pixels. */
  readonly grain: number;
}

const columnOf = (x: number, grain: number) => Math.round(x / grain) * grain;

/**
 * A broken line. Of the points that share a column of pixels the first, lowest, highest and last
 * are drawn, which looks the same as all of them. A point between two gaps is a short dash.
 */
export function line(sink: Sink, y: Values, { x, first, end, toX, toY, grain }: Slice): void {
  let column = Number.NaN;
  let pen = false;
  let low = 0;
  let high = 0;
  let last = 0;
  const flush = () => {
    if (low !== high) {
      sink.lineTo(column, low);
      sink.lineTo(column, high);
      sink.lineTo(column, last);
    } else if (last !== low) sink.lineTo(column, last);
  };
  for (let i = first; i < end; i += 1) {
    const value = y[i];
    const py = value === null || value === undefined ? Number.NaN : toY(value);
    if (!Number.isFinite(py)) {
      if (pen) flush();
      pen = false;
      column = Number.NaN;
      continue;
    }
    const px = columnOf(toX(x[i] ?? 0), grain);
    if (pen && px === column) {
      low = Math.min(low, py);
      high = Math.max(high, py);
      last = py;
      continue;
    }
    if (pen) {
      flush();
      sink.lineTo(px, py);
    } else {
      sink.moveTo(px, py);
      const next = y[i + 1];
      if (next === null || next === undefined) sink.lineTo(px + 1, py);
    }
    pen = true;
    column = px;
    low = py;
    high = py;
    last = py;
  }
  if (pen) flush();
}

/** The area between two edges, in one piece between gaps; columns of pixels are merged. */
export function band(sink: Sink, low: Values, high: Values, slice: Slice): void {
  const { x, first, end, toX, toY, grain } = slice;
  let columns: [x: number, top: number, bottom: number][] = [];
  const flush = () => {
    const [start] = columns;
    if (start) {
      sink.moveTo(start[0], start[1]);
      for (const [px, top] of columns) sink.lineTo(px, top);
      for (const [px, , bottom] of columns.reverse()) sink.lineTo(px, bottom);
      sink.closePath();
    }
    columns = [];
  };
  for (let i = first; i < end; i += 1) {
    const [a, b] = [low[i], high[i]];
    const bottom = a === null || a === undefined ? Number.NaN : toY(a);
    const top = b === null || b === undefined ? Number.NaN : toY(b);
    if (!Number.isFinite(top) || !Number.isFinite(bottom)) {
      flush();
      continue;
    }
    const px = columnOf(toX(x[i] ?? 0), grain);
    const latest = columns.at(-1);
    if (latest && latest[0] === px) {
      latest[1] = Math.min(latest[1], top);
      latest[2] = Math.max(latest[2], bottom);
    } else columns.push([px, top, bottom]);
  }
  flush();
}

/** Points alone: `draw` is called at the place of each. */
export function dots(y: Values, slice: Slice, draw: (x: number, y: number) => void): void {
  const { x, first, end, toX, toY } = slice;
  for (let i = first; i < end; i += 1) {
    const value = y[i];
    if (value === null || value === undefined) continue;
    const py = toY(value);
    if (Number.isFinite(py)) draw(toX(x[i] ?? 0), py);
  }
}
