import { ends, points, pValue } from "../compare/figures";
import { integer, percent } from "../lib/format";
import { LOOKS, QUADRANTS, type Quadrant } from "./quadrants";
import type { Retention } from "./queries";

interface QuartersProps {
  found: Retention;
  chosen: Quadrant | undefined;
  onChoose: (quadrant: Quadrant | undefined) => void;
}

/** Who got how many right; each count narrows the table to its examples. */
export function Quarters({ found, chosen, onChoose }: QuartersProps) {
  const { gain, mcnemar } = found;
  const range = ends(gain.low, gain.high, points);
  return (
    <div className="flex flex-wrap items-stretch gap-3">
      <fieldset className="grid min-w-0 flex-1 grid-cols-2 gap-2 xl:grid-cols-4">
        <legend className="sr-only">Answers by who got them right</legend>
        {QUADRANTS.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={chosen === name}
            title={LOOKS[name].help}
            onClick={() => onChoose(chosen === name ? undefined : name)}
            className="panel flex flex-col items-start px-3 py-2 text-left hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft"
          >
            <span className="flex items-center gap-2 text-muted text-sm">
              <Mark quadrant={name} />
              {LOOKS[name].label}
            </span>
            <span className="tabular-nums">
              <span className="font-semibold text-xl">{integer(found.quadrants[name])}</span>{" "}
              <span className="ml-1 text-faint text-sm">
                {percent(found.quadrants[name] / Math.max(1, found.compared))}
              </span>
            </span>
          </button>
        ))}
      </fieldset>
      <dl className="panel grid min-w-56 grid-cols-[auto_auto] content-center gap-x-4 px-3 py-2 text-sm tabular-nums">
        <dt className="text-muted">Right</dt>
        <dd className="text-right">
          {percent(found.accuracy.estimate)}, base {percent(found.base_accuracy.estimate)}
        </dd>
        <dt className="text-muted">Gain, points</dt>
        <dd className="text-right font-medium" title={gain.note || undefined}>
          {points(gain.estimate)}
          {range && <span className="ml-1.5 font-normal text-faint">{range}</span>}
        </dd>
        <dt className="text-muted">McNemar p</dt>
        <dd className="text-right">{pValue(mcnemar?.p)}</dd>
      </dl>
    </div>
  );
}

export function Mark({ quadrant }: { quadrant: Quadrant }) {
  const look = LOOKS[quadrant];
  return (
    <svg aria-hidden="true" viewBox="-6 -6 12 12" className="size-3 shrink-0">
      <path
        d={look.mark(0, 0)}
        fill={look.filled ? look.colour : "none"}
        stroke={look.colour}
        strokeWidth={1.5}
      />
    </svg>
  );
}
