import { RotateCcw } from "lucide-react";
import type { ReactNode } from "react";
import type { TrajectoryDetail } from "../api/types";
import { Button } from "../components/ui";
import { number, percent, UNKNOWN } from "../lib/format";
import { TERM_WORDS } from "./TokenCard";
import type { WhatIfState } from "./useReader";
import { WhatIfFields } from "./WhatIfFields";
import { type LossRecord, lossOf, type Outcome, TERMS, termsOf } from "./whatif";

interface WhatIfProps {
  state: WhatIfState;
  record: LossRecord;
  item: TrajectoryDetail;
  before: Outcome;
  after: Outcome | null;
}

/** Other settings of the loss, tried on this trajectory's record. */
export function WhatIf({ state, record, item, before, after }: WhatIfProps) {
  if (state.own.crossEntropy) return null; // one term, without a setting
  return (
    <section aria-label="What if" className="panel min-w-0" data-testid="what-if">
      <div className="flex min-h-10 items-center gap-3 border-line border-b bg-sunken px-3 py-1.5">
        <h2 className="font-medium">What if</h2>
        <span className="text-muted text-sm">
          other settings, computed from this record without training
        </span>
        {state.changed && (
          <Button small className="ml-auto" onClick={state.reset}>
            <RotateCcw aria-hidden="true" className="size-3.5" />
            Back to the run's settings
          </Button>
        )}
      </div>
      <div className="grid gap-x-6 xl:grid-cols-2">
        <WhatIfFields state={state} record={record} />
        <Figures record={record} item={item} before={before} after={after} />
      </div>
      <Caveats record={record} item={item} outcome={after ?? before} />
    </section>
  );
}

type FiguresProps = Omit<WhatIfProps, "state">;

function Figures({ record, before, after }: FiguresProps) {
  const [was, is] = [termsOf(before), after && termsOf(after)];
  const terms = TERMS.filter((term) => term in was || (is && term in is));
  const both = (of: (outcome: Outcome) => number | null): [number | null, number | null] => [
    of(before),
    after && of(after),
  ];
  return (
    <table className="mx-3 my-3 h-fit text-right tabular-nums">
      <caption className="sr-only">The loss of this trajectory, before and after</caption>
      <thead>
        <tr className="eyebrow border-line border-b">
          <th scope="col" className="pb-1 text-left font-normal">
            This trajectory
          </th>
          <th scope="col" className="pb-1 font-normal">
            The run's
          </th>
          <th scope="col" className="pb-1 font-normal">
            Changed
          </th>
          <th scope="col" className="pb-1 font-normal">
            Difference
          </th>
        </tr>
      </thead>
      <tbody>
        <Row label="Mean weight" values={both((one) => meanOf(one.weight))} />
        <Row label="Lowest weight" values={both((one) => one.weight && Math.min(...one.weight))} />
        <Row label="Clipped tokens" values={both((one) => clippedShare(record, one))} share />
        <Row label="Ceiling" values={both((one) => one.ceiling?.value ?? null)} />
        {terms.map((term) => (
          <Row
            key={term}
            label={`${TERM_WORDS[term]} term`}
            values={[was[term] ?? 0, is && (is[term] ?? 0)]}
          />
        ))}
        <Row strong label="Loss" values={both(lossOf)} />
      </tbody>
    </table>
  );
}

interface RowProps {
  label: string;
  values: readonly [number | null, number | null];
  share?: boolean;
  strong?: boolean;
}

function Row({ label, values: [was, is], share = false, strong = false }: RowProps) {
  if (was === null && is === null) return null;
  const say = share ? percent : (value: number | null) => number(value);
  const known = was !== null && is !== null;
  return (
    <tr className={strong ? "border-line border-t font-medium" : ""}>
      <th scope="row" className={`py-0.5 text-left ${strong ? "" : "font-normal text-muted"}`}>
        {label}
      </th>
      <td className="py-0.5 pl-3">{say(was)}</td>
      <td className="py-0.5 pl-3">{is === null ? UNKNOWN : say(is)}</td>
      <td className="py-0.5 pl-3">{known ? difference(is - was, share) : UNKNOWN}</td>
    </tr>
  );
}

function difference(value: number, share: boolean): ReactNode {
  const sign = value > 0 ? "+" : value < 0 ? "−" : "±";
  if (value === 0) return "0";
  return `${sign}${share ? percent(Math.abs(value)) : number(Math.abs(value), 3)}`;
}

const meanOf = (values: readonly number[] | null) =>
  values && values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

function clippedShare(record: LossRecord, { clipped }: Outcome): number | null {
  const { divergence } = record;
  if (!clipped || !divergence?.length) return null;
  return divergence.filter((d, i) => d > (clipped[i] ?? d)).length / divergence.length;
}

/** What the figures do not say, where that matters. */
function Caveats({
  record,
  item,
  outcome,
}: Omit<FiguresProps, "before" | "after"> & { outcome: Outcome }) {
  const notes = [
    !record.counted &&
      "The rollout was truncated, and the run leaves those out of the loss: it adds nothing.",
    outcome.scale?.of === "trajectory" &&
      "The scale of the disagreement is this trajectory's: its record does not hold the batch's.",
    outcome.ceiling?.of === "trajectory" &&
      "The quantile is taken over this trajectory: its record does not hold the batch's.",
    record.sequences === null &&
      "The rollout was recorded beside the batch, so that its loss is no part of the step's.",
    record.sequences !== null &&
      `The step's loss is the mean over ${record.sequences} such losses.`,
    item.source === "reference" && "The completion is the data's answer.",
  ].filter((note) => typeof note === "string");
  return (
    <p className="border-line border-t px-3 py-2 text-faint text-sm">
      {notes.join(" ")} α, the temperature and the teachers' contexts would need the whole
      distributions, or other rollouts: only a new run shows them.
    </p>
  );
}
