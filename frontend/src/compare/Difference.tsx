import { UNKNOWN } from "../lib/format";
import { type Better, ends, signed, type Verdict, verdict } from "./figures";

interface DifferenceProps {
  value: number | null | undefined;
  low: number | null | undefined;
  high: number | null | undefined;
  better: Better;
  format?: (value: number | null | undefined) => string;
  formatEnd?: (value: number) => string;
}

const LOOKS: Record<Verdict, { tone: string; words: string; mark: string }> = {
  better: { tone: "text-ok font-medium", words: "better", mark: "✓" },
  worse: { tone: "text-bad font-medium", words: "worse", mark: "✗" },
  differs: { tone: "font-medium", words: "differs", mark: "≠" },
  unclear: { tone: "text-muted", words: "", mark: "" },
};

/** A difference, its interval, and what that says: only one without zero says anything. */
export function Difference(props: DifferenceProps) {
  const { value, low, high, better, format = signed, formatEnd } = props;
  const range = ends(low, high, formatEnd);
  const look = LOOKS[verdict(low, high, better)];
  if (value === null || value === undefined) return <span>{UNKNOWN}</span>;
  return (
    <span className={`flex flex-col items-end text-sm ${look.tone}`}>
      <span>
        {look.mark && (
          <span role="img" aria-label={look.words} title={look.words} className="mr-1 text-xs">
            {look.mark}
          </span>
        )}
        {format(value)}
      </span>
      {range && <span className="font-normal text-faint text-xs">{range}</span>}
    </span>
  );
}
