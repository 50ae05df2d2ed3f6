import { type ReactNode, useId, useState } from "react";
import { Segmented, Switch } from "../components/ui";
import type { WhatIfState } from "./useReader";
import type { LossRecord, LossSettings } from "./whatif";
import { DEFAULT_CEILING } from "./whatifSettings";

interface WhatIfFieldsProps {
  state: WhatIfState;
  record: LossRecord;
}

const LEVELS = [
  { value: "token", label: "token" },
  { value: "sequence", label: "sequence" },
] as const;
const STATISTICS = [
  { value: "variance", label: "variance" },
  { value: "range", label: "range" },
] as const;
const CLIPS = [
  { value: "off", label: "off" },
  { value: "ceiling", label: "ceiling" },
  { value: "quantile", label: "quantile" },
] as const;
const DIVISORS = [
  { value: "tokens", label: "tokens" },
  { value: "weights", label: "weights" },
] as const;
const AGREEMENT = { level: "token", statistic: "variance", gamma: 1 } as const;
const QUANTILE = 0.95;

/** Those settings that this record has the values for. */
export function WhatIfFields({ state, record }: WhatIfFieldsProps) {
  const { own, after, change } = state;
  const known = record.divergence !== null && own.divergence;
  return (
    <div className="flex flex-col gap-3 p-3">
      {known && record.auxiliary && <Agreement after={after} change={change} />}
      {known && <Clipping after={after} change={change} />}
      {record.negative && <Contrastive after={after} change={change} />}
      {record.feature && own.divergence && (
        <Row title="Feature matching">
          <Amount
            label="weight λ"
            value={after.feature ?? 0}
            step={0.05}
            onChange={(feature) => change({ feature })}
          />
        </Row>
      )}
      {known && after.agreement && (
        <Row title="Divide by the sum of">
          <Segmented
            small
            label="Divide by"
            value={after.divisor}
            options={DIVISORS}
            onChange={(divisor) => change({ divisor })}
          />
        </Row>
      )}
    </div>
  );
}

type PartProps = Pick<WhatIfState, "after" | "change">;

function Agreement({ after: { agreement }, change }: PartProps) {
  const set = (part: Partial<NonNullable<LossSettings["agreement"]>>) =>
    change({ agreement: { ...(agreement ?? AGREEMENT), ...part } });
  return (
    <Row title="Agreement">
      <Switch
        checked={agreement !== null}
        onChange={(on) => change({ agreement: on ? AGREEMENT : null })}
      >
        on
      </Switch>
      {agreement && (
        <>
          <Amount
            slider={8}
            label="γ"
            value={agreement.gamma}
            step={0.1}
            onChange={(gamma) => set({ gamma })}
          />
          <Segmented
            small
            label="Statistic"
            value={agreement.statistic}
            options={STATISTICS}
            onChange={(statistic) => set({ statistic })}
          />
          <Segmented
            small
            label="Level"
            value={agreement.level}
            options={LEVELS}
            onChange={(level) => set({ level })}
          />
        </>
      )}
    </Row>
  );
}

function Clipping({ after: { clip }, change }: PartProps) {
  const how = clip === null ? "off" : "quantile" in clip ? "quantile" : "ceiling";
  const choose = (next: (typeof CLIPS)[number]["value"]) =>
    change({
      clip: { off: null, ceiling: { ceiling: DEFAULT_CEILING }, quantile: { quantile: QUANTILE } }[
        next
      ],
    });
  return (
    <Row title="Clipping">
      <Segmented small label="Clipping" value={how} options={CLIPS} onChange={choose} />
      {clip && "ceiling" in clip && (
        <Amount
          label="nats"
          positive
          value={clip.ceiling}
          step={0.1}
          onChange={(ceiling) => change({ clip: { ceiling } })}
        />
      )}
      {clip && "quantile" in clip && (
        <Amount
          label="q"
          positive
          below={1}
          value={clip.quantile}
          step={0.01}
          onChange={(quantile) => change({ clip: { quantile } })}
        />
      )}
    </Row>
  );
}

function Contrastive({ after: { contrastive }, change }: PartProps) {
  const { margin, weight } = contrastive ?? { margin: 0.5, weight: 0 };
  return (
    <Row title="Contrastive">
      <Amount
        label="margin"
        value={margin}
        step={0.1}
        onChange={(next) => change({ contrastive: { margin: next, weight } })}
      />
      <Amount
        label="weight λ"
        value={weight}
        step={0.05}
        onChange={(next) => change({ contrastive: { margin, weight: next } })}
      />
    </Row>
  );
}

function Row({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset className="min-w-0">
      <legend className="eyebrow mb-1">{title}</legend>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">{children}</div>
    </fieldset>
  );
}

interface AmountProps {
  label: string;
  value: number;
  step: number;
  onChange: (value: number) => void;
  /** With a slider up to here. */
  slider?: number;
  positive?: boolean;
  below?: number;
}

/** A number; what cannot be one stays in the field and changes nothing. */
function Amount({ label, value, step, onChange, slider, positive, below }: AmountProps) {
  const id = useId();
  const [typed, setTyped] = useState<string | null>(null);
  const fits = (next: number) =>
    Number.isFinite(next) && (positive ? next > 0 : next >= 0) && (!below || next < below);
  const wrong = typed !== null && (typed.trim() === "" || !fits(Number(typed)));
  const take = (text: string) => {
    setTyped(text);
    if (text.trim() !== "" && fits(Number(text))) onChange(Number(text));
  };
  return (
    <div className="flex items-center gap-2 text-sm">
      <label htmlFor={id} className="text-muted">
        {label}
      </label>
      {slider !== undefined && (
        <input
          type="range"
          aria-label={`${label}, slider`}
          min={0}
          max={slider}
          step={step}
          value={Math.min(slider, value)}
          onChange={(event) => {
            setTyped(null);
            onChange(Number(event.target.value));
          }}
          className="w-28"
        />
      )}
      <input
        id={id}
        type="number"
        min={0}
        max={below}
        step={step}
        value={typed ?? value}
        aria-invalid={wrong}
        onChange={(event) => take(event.target.value)}
        onBlur={() => setTyped(null)}
        className="control h-7! w-20 px-2!"
      />
    </div>
  );
}
