import type { ComparedColumn, EvaluationRow } from "../api/types";
import { number, percent } from "../lib/format";
import { columnStyles } from "./RunBar";
import { scaleOf } from "./scale";

interface GainScatterProps {
  row: EvaluationRow;
  columns: readonly ComparedColumn[];
}

const WIDTH = 340;
const HEIGHT = 230;
const FRAME = { left: 44, right: WIDTH - 14, top: 14, bottom: HEIGHT - 42 };

/** Each run by what it gained and how far it went for it: up is better, left is nearer to base. */
export function GainScatter({ row, columns }: GainScatterProps) {
  const styles = columnStyles(columns);
  const places = columns.flatMap((column, i) => {
    const cell = row.cells[i];
    const x = cell?.jsd.estimate;
    const y = cell?.accuracy.estimate;
    if (!cell || typeof x !== "number" || typeof y !== "number") return [];
    const { low, high } = cell.accuracy;
    return [{ column, number: i + 1, x, y, low: low ?? y, high: high ?? y }];
  });
  if (places.length === 0) return null;
  const x = scaleOf([0, ...places.map((one) => one.x)], FRAME.left, FRAME.right);
  const y = scaleOf(
    places.flatMap((one) => [one.low, one.high]),
    FRAME.bottom,
    FRAME.top,
  );
  const base = places.find((one) => one.column.baseline);
  const words = places
    .map((one) => `${one.column.label}: ${percent(one.y)} right, JSD ${number(one.x, 3)}`)
    .join("; ");
  return (
    <figure className="shrink-0 border-line border-t p-2 2xl:border-t-0 2xl:border-l">
      <figcaption className="eyebrow px-1 pb-1">Gain beside forgetting</figcaption>
      <svg
        role="img"
        aria-label={`Right answers against JSD to base on ${row.set}. ${words}`}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        width={WIDTH}
        height={HEIGHT}
        className="max-w-full overflow-visible"
        fontSize={11}
      >
        <Axes x={x.ticks} y={y.ticks} />
        {base && (
          <path
            d={`M${FRAME.left} ${y.at(base.y)}H${FRAME.right}M${x.at(base.x)} ${FRAME.top}V${FRAME.bottom}`}
            stroke="var(--line-strong)"
            strokeDasharray="3 3"
          />
        )}
        {places.map((one) => (
          <g key={one.column.key}>
            <title>{one.column.label}</title>
            <path
              d={`M${x.at(one.x)} ${y.at(one.low)}V${y.at(one.high)}`}
              stroke={styles[one.column.key]?.colour}
              strokeWidth={1.5}
              opacity={0.6}
            />
            <circle
              cx={x.at(one.x)}
              cy={y.at(one.y)}
              r={4.5}
              fill={styles[one.column.key]?.colour}
            />
            <text x={x.at(one.x) + 7} y={y.at(one.y) - 5} fill="var(--text)">
              {one.number}
            </text>
          </g>
        ))}
      </svg>
    </figure>
  );
}

interface Tick {
  at: number;
  value: number;
}

function Axes({ x, y }: { x: readonly Tick[]; y: readonly Tick[] }) {
  return (
    <g fill="var(--text-faint)">
      {y.map(({ at, value }) => (
        <g key={value}>
          <path d={`M${FRAME.left} ${at}H${FRAME.right}`} stroke="var(--line)" />
          <text x={FRAME.left - 6} y={at + 4} textAnchor="end">
            {Math.round(value * 1000) / 10}
          </text>
        </g>
      ))}
      {x.map(({ at, value }) => (
        <text key={value} x={at} y={FRAME.bottom + 15} textAnchor="middle">
          {Number(value.toPrecision(3))}
        </text>
      ))}
      <text x={(FRAME.left + FRAME.right) / 2} y={HEIGHT - 8} textAnchor="middle">
        JSD to base, nats per token
      </text>
      <text
        transform={`translate(11 ${(FRAME.top + FRAME.bottom) / 2}) rotate(-90)`}
        textAnchor="middle"
      >
        Right, %
      </text>
    </g>
  );
}
