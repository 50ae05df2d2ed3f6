/** Means of one factor's levels, a line for each level of another: lines that are not parallel
 * are an interaction. */
import type { Interval, StudyTable } from "./api";
import { place, scaleOf, tickText, withInterval } from "./figures";

const WIDTH = 560;
const HEIGHT = 300;
const LEFT = 62;
const RIGHT = 120;
const TOP = 14;
const BOTTOM = 44;
const DASHES = ["", "6 3", "2 2", "8 3 2 3"];
const COLOURS = 6;
const LABEL_GAP = 14;

export const lineColour = (index: number): string => `var(--series-${(index % COLOURS) + 1})`;

interface Point {
  x: number;
  y: number;
  /** Ends of the interval; absent where there is none. */
  ends: [number, number] | null;
  interval: Interval;
}

interface InteractionPlotProps {
  /** One factor at the rows, another at the columns. */
  table: StudyTable;
  metric: string;
  pick: (cell: NonNullable<StudyTable["cells"][number][number]>) => Interval;
}

export function InteractionPlot({ table, metric, pick }: InteractionPlotProps) {
  const [across = "", lines = ""] = [table.row_factors[0], table.column_factors[0]];
  const values = table.cells.map((row) => row.map((cell) => (cell ? pick(cell) : null)));
  const scale = scaleOf(values.flat().filter((interval) => interval !== null));
  if (!scale) return null;
  const bottom = HEIGHT - BOTTOM;
  const y = (value: number) => bottom - place(value, scale) * (bottom - TOP);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, table.rows.length);
  const x = (index: number) => LEFT + step * (index + 0.5);
  const dodge = (line: number) => (line - (table.columns.length - 1) / 2) * 5;
  const curves = table.columns.map((levels, line) => ({
    level: levels[lines] ?? "",
    line,
    points: values.flatMap((row, i): Point[] => {
      const interval = row[line];
      if (interval?.estimate == null) return [];
      const { estimate, low, high } = interval;
      const ends: Point["ends"] = low != null && high != null ? [y(high), y(low)] : null;
      return [{ x: x(i) + dodge(line), y: y(estimate), ends, interval }];
    }),
  }));
  const labels = spread(curves.map(({ points }) => points.at(-1)?.y ?? null));
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`Means of ${metric} by ${across}, a line for each level of ${lines}; the table beside has the numbers`}
      className="w-full max-w-[560px] text-[12px]"
    >
      {scale.ticks.map((tick) => (
        <g key={tick}>
          <line x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} stroke="var(--line)" />
          <text x={LEFT - 8} y={y(tick) + 4} textAnchor="end" fill="var(--text-muted)">
            {tickText(tick, scale)}
          </text>
        </g>
      ))}
      {table.rows.map((levels, i) => (
        <text
          key={levels[across]}
          x={x(i)}
          y={bottom + 18}
          textAnchor="middle"
          fill="var(--text-muted)"
        >
          {clipped(levels[across] ?? "", step)}
        </text>
      ))}
      <text
        x={(LEFT + WIDTH - RIGHT) / 2}
        y={HEIGHT - 6}
        textAnchor="middle"
        fill="var(--text-faint)"
      >
        {across}
      </text>
      {curves.map((curve) => (
        <Curve key={curve.level} {...curve} />
      ))}
      {curves.map(({ level, line, points }) => {
        const end = points.at(-1);
        const height = labels[line];
        if (!end || height == null) return null;
        return (
          <g key={level}>
            <line
              x1={end.x + 7}
              x2={WIDTH - RIGHT + 8}
              y1={end.y}
              y2={height}
              stroke="var(--line-strong)"
              strokeWidth={0.75}
            />
            <text x={WIDTH - RIGHT + 12} y={height + 4} fill={lineColour(line)}>
              {clipped(`${lines}=${level}`, RIGHT - 14)}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

function Curve({ level, line, points }: { level: string; line: number; points: Point[] }) {
  const colour = lineColour(line);
  const path = points.map(({ x, y }, i) => `${i ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`);
  return (
    <g stroke={colour} strokeWidth={1.75} fill="none">
      <path d={path.join("")} strokeDasharray={DASHES[line % DASHES.length]} />
      {points.map(({ x, y, ends, interval }) => (
        <g key={x}>
          {ends && (
            <path
              d={`M${x} ${ends[0]}V${ends[1]}M${x - 4} ${ends[0]}h8M${x - 4} ${ends[1]}h8`}
              strokeWidth={1.25}
            />
          )}
          <circle cx={x} cy={y} r={3.5} fill={colour}>
            <title>{`${level}: ${withInterval(interval)}`}</title>
          </circle>
        </g>
      ))}
    </g>
  );
}

/** Labels at these heights, moved apart so that none covers another. */
export function spread(heights: readonly (number | null)[]): (number | null)[] {
  const found = [...heights];
  const order = heights
    .map((height, index) => ({ height, index }))
    .filter((one): one is { height: number; index: number } => one.height !== null)
    .sort((a, b) => a.height - b.height);
  let lowest = Number.NEGATIVE_INFINITY;
  for (const { height, index } of order) {
    lowest = Math.max(height, lowest + LABEL_GAP);
    found[index] = lowest;
  }
  return found;
}

/** As much of a name as so many pixels hold. */
function clipped(text: string, width: number): string {
  const most = Math.max(3, Math.floor(width / 7));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
