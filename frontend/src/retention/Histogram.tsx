import { useMemo, useRef, useState } from "react";
import { scaleOf } from "../compare/scale";
import { integer, plural } from "../lib/format";
import { tick } from "./Axes";
import { MEASURES, type Measure, valuesOf } from "./measures";
import { type Bin, histogram, LOOKS, QUADRANTS } from "./quadrants";
import type { Points } from "./queries";

interface HistogramProps {
  points: Points;
  measure: Measure;
  range: { low: number; high: number } | null;
  /** Absent where the table cannot be narrowed by it. */
  onRange: ((range: { low: number; high: number } | null) => void) | undefined;
}

const HEIGHT = 222;

/** How many examples lie where; a bar narrows the table to its examples. */
export function Histogram({ points, measure, range, onRange }: HistogramProps) {
  const list = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState(0);
  const values = valuesOf(points, measure);
  const bins = useMemo(() => {
    if (values.length === 0) return [];
    const ticks = scaleOf(values, 0, 1).ticks.map((one) => one.value);
    return histogram(values, points.quadrant, ticks);
  }, [values, points]);
  const most = Math.max(1, ...bins.map((bin) => bin.count));
  const walk = (event: React.KeyboardEvent) => {
    const last = bins.length - 1;
    const next = {
      ArrowRight: Math.min(last, place + 1),
      ArrowLeft: Math.max(0, place - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    setPlace(next);
    (list.current?.children[next] as HTMLElement | undefined)?.focus();
  };
  const chosen = (bin: Bin) => range !== null && range.low === bin.low && range.high === bin.high;
  return (
    <figure className="flex min-w-0 flex-col px-3 pt-2 pb-1">
      <figcaption className="flex justify-between text-faint text-xs tabular-nums">
        <span>Examples</span>
        <span>at most {integer(most)} in a bar</span>
      </figcaption>
      <div
        ref={list}
        role="toolbar"
        aria-label={`Histogram: ${MEASURES[measure].title}`}
        onKeyDown={walk}
        className="mt-1 flex items-end gap-px border-line-strong border-b"
        style={{ height: HEIGHT }}
      >
        {bins.map((bin, i) => (
          <button
            key={bin.low}
            type="button"
            disabled={!onRange}
            tabIndex={i === Math.min(place, bins.length - 1) ? 0 : -1}
            aria-pressed={chosen(bin)}
            aria-label={`${tick(bin.low)} to ${tick(bin.high)}: ${plural(bin.count, "example")}`}
            title={`${tick(bin.low)} to ${tick(bin.high)}: ${plural(bin.count, "example")}`}
            onFocus={() => setPlace(i)}
            onClick={() => onRange?.(chosen(bin) ? null : { low: bin.low, high: bin.high })}
            className="flex h-full min-w-0 flex-1 flex-col justify-end hover:bg-hover aria-pressed:bg-accent-soft focus-visible:outline-offset-[-2px]"
          >
            {QUADRANTS.map((name) => (
              <span
                key={name}
                className="block w-full"
                style={{
                  height: `${(bin.of[name] / most) * 100}%`,
                  background: LOOKS[name].colour,
                  opacity: 0.8,
                }}
              />
            ))}
          </button>
        ))}
      </div>
      <div className="flex justify-between pt-1 text-faint text-xs tabular-nums">
        <span>{bins[0] ? tick(bins[0].low) : ""}</span>
        <span>{MEASURES[measure].title}</span>
        <span>{bins.length ? tick(bins.at(-1)?.high ?? 0) : ""}</span>
      </div>
    </figure>
  );
}
