/** A chart to take away: as a picture, or as its numbers. */
import { lowerBound } from "../lib/sorted";
import type { CurveSeries, Range } from "./curve";
import type { ChartModel } from "./frame";
import { type Picture, svgOf } from "./svg";

const cell = (value: number | string | null | undefined): string => {
  if (value === null || value === undefined) return "";
  const text = String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** The points of a range: around them a zoomed chart has others, in less detail. */
function within(one: CurveSeries, [low, high]: Range): CurveSeries {
  const first = lowerBound(one.x, low);
  let end = lowerBound(one.x, high);
  while (one.x[end] === high) end += 1;
  const cut = <T>(column: readonly T[]) => column.slice(first, end);
  return {
    ...one,
    x: cut(one.x),
    y: cut(one.y),
    ...(one.low && one.high ? { low: cut(one.low), high: cut(one.high) } : {}),
  };
}

/**
 * What is in sight: a row for each x that any curve has, a column for each curve, whole numbers as
 * they are. Curves that stand for more points than they have also give the least and the greatest.
 */
export function csvOf(
  xLabel: string,
  series: readonly CurveSeries[],
  range: Range | null = null,
): string {
  const rows = new Map<number, (number | string | null)[]>();
  const columns = series.flatMap((one) => columnsOf(range ? within(one, range) : one));
  columns.forEach(({ x, values, names }, at) => {
    x.forEach((place, i) => {
      const row = rows.get(place) ?? new Array<number | string | null>(columns.length).fill(null);
      row[at] = values[i] ?? names?.get(place) ?? null;
      rows.set(place, row);
    });
  });
  const head = [xLabel, ...columns.map((column) => column.name)];
  const body = [...rows].sort(([a], [b]) => a - b).map(([x, row]) => [x, ...row]);
  return `${[head, ...body].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

interface Column {
  readonly name: string;
  readonly x: readonly number[];
  readonly values: readonly (number | null)[];
  readonly names?: ReadonlyMap<number, string> | undefined;
}

function columnsOf({ label, x, y, low, high, nonFinite }: CurveSeries): Column[] {
  const names = nonFinite && new Map(nonFinite.map((one) => [one.x, one.name]));
  const line: Column = { name: label, x, values: y, names };
  const each = (edge: typeof y) => edge.every((value, i) => value === y[i]);
  if (!low || !high || (each(low) && each(high))) return [line];
  return [
    line,
    { name: `${label}, least`, x, values: low },
    { name: `${label}, greatest`, x, values: high },
  ];
}

export const fileName = (title: string, extension: string): string =>
  `${title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "") || "chart"}.${extension}`;

export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function downloadSvg(picture: Picture): void {
  const blob = new Blob([svgOf(picture)], { type: "image/svg+xml" });
  download(fileName(picture.title, "svg"), blob);
}

export function downloadCsv(title: string, { xLabel, layers, view }: ChartModel): void {
  const series = layers.map((layer) => layer.series);
  const text = csvOf(xLabel, series, view.range);
  download(fileName(title, "csv"), new Blob([text], { type: "text/csv;charset=utf-8" }));
}

/** Twice as fine as the screen counts, for slides and papers. */
const SCALE = 2;

export async function downloadPng(picture: Picture): Promise<void> {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgOf(picture))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * SCALE;
  canvas.height = picture.height * SCALE;
  const ctx = canvas.getContext("2d");
  if (!ctx) throw new Error("This browser cannot draw pictures.");
  ctx.drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/png"));
  if (blob) download(fileName(picture.title, "png"), blob);
}
