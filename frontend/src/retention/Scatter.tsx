import { useMemo, useState } from "react";
import { scaleOf } from "../compare/scale";
import { integer, number } from "../lib/format";
import { Axes, type Frame, tick, useWidth } from "./Axes";
import { MEASURES, type Measure, valuesOf } from "./measures";
import { jitter, LOOKS, QUADRANTS } from "./quadrants";
import type { Points } from "./queries";

export type Height = "gain" | "grade";

interface ScatterProps {
  points: Points;
  measure: Measure;
  height: Height;
  onOpen: (index: number, sample: number) => void;
}

const HEIGHT = 300;
const NEAR = 14;
const LABELS: Record<Height, Record<number, string>> = {
  gain: { "-1": "lost", 0: "as before", 1: "gained" },
  grade: { 0: "wrong", 1: "right" },
};

/** Each example by how far it went from the base, and what that gained. */
export function Scatter({ points, measure, height, onOpen }: ScatterProps) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const xs = valuesOf(points, measure);
  const drawn = useMemo(() => layOut(points, xs, height, width), [points, xs, height, width]);
  const order = useMemo(
    () => xs.map((_, i) => i).sort((a, b) => (xs[a] ?? 0) - (xs[b] ?? 0)),
    [xs],
  );
  const open = (i: number | null) => {
    const index = i === null ? undefined : points.index[i];
    const sample = i === null ? undefined : points.sample[i];
    if (index !== undefined && sample !== undefined) onOpen(index, sample);
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const place = at === null ? -1 : order.indexOf(at);
    const last = order.length - 1;
    const next = {
      ArrowRight: Math.min(last, place + 1),
      ArrowLeft: Math.max(0, place - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === "Enter" && at !== null) open(at);
    else if (next !== undefined) setAt(order[next] ?? null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const nearest = (event: React.PointerEvent | React.MouseEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    return nearestTo(drawn, event.clientX - box.left, event.clientY - box.top);
  };
  const place = at === null ? undefined : drawn.places[at];
  return (
    <div ref={ref} className="min-w-0">
      <div
        role="application"
        aria-label={`${MEASURES[measure].label} of ${integer(xs.length)} examples against their ${height}. Arrow keys go from example to example, Enter opens one. The table below has the same.`}
        tabIndex={0}
        data-testid="retention-scatter"
        onKeyDown={onKeyDown}
        onPointerMove={(event) => setAt(nearest(event))}
        onPointerLeave={() => setAt(null)}
        onClick={(event) => open(nearest(event))}
        className={`focus-visible:outline-offset-[-2px] ${at === null ? "" : "cursor-pointer"}`}
      >
        <svg aria-hidden="true" width={width} height={HEIGHT} fontSize={11} className="block">
          <Axes frame={drawn.frame} x={drawn.x} y={drawn.y} xTitle={MEASURES[measure].title} />
          {QUADRANTS.map((name) => (
            <path
              key={name}
              d={drawn.paths[name]}
              fill={LOOKS[name].filled ? LOOKS[name].colour : "none"}
              fillOpacity={0.55}
              stroke={LOOKS[name].colour}
              strokeWidth={1.25}
            />
          ))}
          {place && (
            <circle
              cx={place[0]}
              cy={place[1]}
              r={8}
              fill="none"
              stroke="var(--accent)"
              strokeWidth={2}
            />
          )}
        </svg>
      </div>
      <p aria-live="polite" className="h-5 truncate px-3 text-muted text-sm tabular-nums">
        {at === null ? "Point at an example, or walk with the arrow keys." : words(points, at)}
      </p>
    </div>
  );
}

function words(points: Points, at: number): string {
  const quadrant = points.quadrant[at];
  const sample = points.sample[at] ? `, answer ${(points.sample[at] ?? 0) + 1}` : "";
  return [
    `Example ${integer((points.index[at] ?? 0) + 1)}${sample}`,
    quadrant ? LOOKS[quadrant].label.toLowerCase() : "",
    `JSD ${number(points.jsd[at], 3)}`,
    `log p ${number(points.base_logprob[at], 3)} under the base, ${number(points.tuned_logprob[at], 3)} under the model`,
  ].join(" · ");
}

type Drawn = ReturnType<typeof layOut>;

function layOut(points: Points, xs: readonly number[], height: Height, width: number) {
  const frame: Frame = { left: 72, right: width - 16, top: 10, bottom: HEIGHT - 46 };
  const levels = points[height];
  const whole = levels.every(Number.isInteger);
  const [low, high] = height === "gain" ? [-1, 1] : [0, 1];
  const spread = whole ? 0.36 : 0.02;
  const y = (value: number) =>
    frame.bottom - ((value - low + 0.5) / (high - low + 1)) * (frame.bottom - frame.top);
  const x = scaleOf(xs.length ? xs : [0], frame.left + 8, frame.right - 8);
  const places = xs.map((value, i): [number, number] => [
    x.at(value),
    y((levels[i] ?? 0) + spread * jitter(points.index[i] ?? 0, points.sample[i] ?? 0)),
  ]);
  const paths = { regressed: "", improved: "", both_right: "", both_wrong: "" };
  places.forEach(([px, py], i) => {
    const quadrant = points.quadrant[i];
    if (quadrant) paths[quadrant] += LOOKS[quadrant].mark(px, py);
  });
  return {
    frame,
    places,
    paths,
    x: x.ticks.map((one) => ({ at: one.at, label: tick(one.value) })),
    y: Object.entries(LABELS[height]).map(([level, label]) => ({ at: y(Number(level)), label })),
  };
}

function nearestTo({ places }: Drawn, x: number, y: number): number | null {
  let best: number | null = null;
  let least = NEAR * NEAR;
  places.forEach(([px, py], i) => {
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [i, distance];
  });
  return best;
}
