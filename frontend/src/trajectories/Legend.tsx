import { ticks } from "d3-array";
import { number } from "../lib/format";
import { useTheme } from "../lib/theme";
import { gradient, type Scale } from "./colours";

interface LegendProps {
  scale: Scale;
  /** What the colours stand for. */
  label: string;
  /** -1 where the colours show the size of what is below 0. */
  sign?: 1 | -1;
}

/** The colours with their numbers. */
export function Legend({ scale, label, sign = 1 }: LegendProps) {
  const theme = useTheme();
  const { low, high } = scale;
  const marks = ticks(low, high, 4);
  const place = (value: number) => `${((value - low) / (high - low)) * 100}%`;
  const say = (value: number) => number(value * sign, 3);
  return (
    <div
      role="img"
      aria-label={`${label}: colours from ${say(low)} to ${say(high)}`}
      title="Values beyond the ends take the end's colour"
      className="w-40 px-2 text-muted text-xs tabular-nums"
    >
      <div
        className="h-2 rounded-[2px] border border-line-strong"
        style={{ background: gradient(scale, theme) }}
      />
      <div aria-hidden="true" className="relative h-4">
        {marks.map((value) => (
          <span
            key={value}
            className="-translate-x-1/2 absolute before:absolute before:left-1/2 before:h-[3px] before:border-line-strong before:border-l"
            style={{ left: place(value) }}
          >
            {tick(value * sign)}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Ticks are round already. */
function tick(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e5)) return number(value, 3);
  return String(Number(value.toPrecision(6))).replace("-", "−");
}
