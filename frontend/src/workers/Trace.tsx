import { Sparkline } from "../components/Sparkline";
import { Skeleton } from "../components/ui";
import type { Span } from "../searches";
import { peak } from "./past";

export const SHARE = [0, 1] as const;

const COLUMNS = "grid grid-cols-[88px_minmax(0,1fr)_132px] gap-3";

/** What the curves below run over. */
export function TimeAxis({ span }: { span: Span }) {
  return (
    <div aria-hidden="true" className={`${COLUMNS} text-faint text-xs`}>
      <span />
      <span className="flex justify-between">
        <span>{span === "hour" ? "an hour ago" : "a day ago"}</span>
        <span>now</span>
      </span>
      <span />
    </div>
  );
}

interface TraceProps {
  label: string;
  /** Null while they are asked for. */
  values: readonly (number | null)[] | null;
  range?: readonly [low: number, high: number];
  now: string;
  words: (value: number | null) => string;
  span: Span;
}

/** A quantity's past as a small curve, and its value now. */
export function Trace({ label, values, range, now, words, span }: TraceProps) {
  const highest = words(peak(values ?? []));
  return (
    <div
      title={`${label}, last ${span}: at most ${highest}`}
      className={`${COLUMNS} items-center text-sm`}
    >
      <span className="truncate text-muted">{label}</span>
      {values ? (
        <Sparkline
          fluid
          values={values}
          {...(range ? { range } : {})}
          label={`${label} over the last ${span}, at most ${highest}`}
        />
      ) : (
        <Skeleton className="h-[22px]" />
      )}
      <span className="whitespace-nowrap text-right tabular-nums">{now}</span>
    </div>
  );
}
