/** Dots with intervals on a scale that all rows of a table share. */
import type { Interval } from "./api";
import { place, type Scale, tickText } from "./figures";

const MARGIN = 4;
const at = (value: number, scale: Scale): string =>
  `${MARGIN + (100 - 2 * MARGIN) * place(value, scale)}%`;

interface IntervalStripProps {
  interval: Interval;
  scale: Scale;
  label: string;
  /** A value to compare with, such as zero or the baseline's. */
  reference?: number | null;
  /** Hollow where the interval holds the reference. */
  hollow?: boolean;
  height?: number;
}

export function IntervalStrip(props: IntervalStripProps) {
  const { interval, scale, label, reference, hollow = false, height = 20 } = props;
  const { estimate, low, high } = interval;
  const middle = height / 2;
  return (
    <svg width="100%" height={height} role="img" aria-label={label} className="block">
      {reference != null && (
        <line
          x1={at(reference, scale)}
          x2={at(reference, scale)}
          y1={0}
          y2={height}
          stroke="var(--line-strong)"
          strokeDasharray="3 2"
        />
      )}
      {low != null && high != null && (
        <g stroke="var(--series-1)" strokeWidth={1.5}>
          <line x1={at(low, scale)} x2={at(high, scale)} y1={middle} y2={middle} />
          {[low, high].map((end, i) => (
            <line key={i} x1={at(end, scale)} x2={at(end, scale)} y1={middle - 4} y2={middle + 4} />
          ))}
        </g>
      )}
      {estimate !== null && (
        <circle
          cx={at(estimate, scale)}
          cy={middle}
          r={4}
          fill={hollow ? "var(--surface)" : "var(--series-1)"}
          stroke="var(--series-1)"
          strokeWidth={1.5}
        />
      )}
    </svg>
  );
}

/** The scale's values, for above or below the strips. */
export function ScaleAxis({ scale }: { scale: Scale }) {
  return (
    <div aria-hidden="true" className="relative h-4 text-faint text-xs tabular-nums">
      {scale.ticks.map((tick) => (
        <span
          key={tick}
          className="absolute -translate-x-1/2 whitespace-nowrap"
          style={{ left: at(tick, scale) }}
        >
          {tickText(tick, scale)}
        </span>
      ))}
    </div>
  );
}
