import { type ReactNode, useId } from "react";
import { integer } from "../lib/format";
import type { Draft } from "./draft";
import type { ExportOptions } from "./queries";

export interface FieldsProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}
type WithOptions = FieldsProps & { options: ExportOptions };

interface FieldProps {
  label: string;
  wide?: boolean;
  /** Said below; outside of the label, so that it is no part of the control's name. */
  hint?: ReactNode;
  children: ReactNode;
}

export function Field({ label, wide = false, hint, children }: FieldProps) {
  return (
    <div className={`flex min-w-0 flex-col gap-1 text-sm ${wide ? "sm:col-span-2" : ""}`}>
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the control is the child */}
      <label className="flex flex-col gap-1">
        <span className="font-medium">{label}</span>
        {children}
      </label>
      {hint}
    </div>
  );
}

export function SourceField({ options, draft, onChange }: WithOptions) {
  const first = options.has_adapter ? "The run's adapter" : "The newest checkpoint";
  return (
    <Field label="Weights of">
      <select
        value={draft.checkpoint}
        onChange={(event) => onChange({ checkpoint: event.target.value })}
        className="control"
      >
        <option value="">{first}</option>
        {options.checkpoints.map(({ step }) => (
          <option key={step} value={step}>
            Checkpoint after step {integer(step)}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function WeightsField({ draft, onChange }: FieldsProps) {
  return (
    <Field label="Whose">
      <select
        value={draft.weights}
        onChange={(event) =>
          onChange({ weights: event.target.value === "ema" ? "ema" : "student" })
        }
        className="control"
      >
        <option value="student">The student's</option>
        <option value="ema">The EMA teacher's</option>
      </select>
    </Field>
  );
}

const GGUF_TYPES: readonly { value: Draft["ggufType"]; label: string }[] = [
  { value: "f16", label: "F16: 16 bits" },
  { value: "bf16", label: "BF16: 16 bits, wider range" },
  { value: "q8_0", label: "Q8_0: 8 bits" },
  { value: "f32", label: "F32: 32 bits" },
];

export function GgufField({ draft, onChange }: FieldsProps) {
  return (
    <Field label="Number format">
      <select
        value={draft.ggufType}
        onChange={(event) => {
          const chosen = GGUF_TYPES.find(({ value }) => value === event.target.value);
          if (chosen) onChange({ ggufType: chosen.value });
        }}
        className="control"
      >
        {GGUF_TYPES.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </select>
    </Field>
  );
}

export function PromptField({ options, draft, onChange }: WithOptions) {
  const hint = useId();
  return (
    <Field
      label="Prompt of the check"
      wide
      hint={
        <span id={hint} className="text-muted">
          Original and export answer it; they must agree, or nothing is kept.
        </span>
      }
    >
      <textarea
        rows={2}
        value={draft.prompt}
        placeholder={options.prompt}
        aria-describedby={hint}
        onChange={(event) => onChange({ prompt: event.target.value })}
        className="control h-auto! resize-y py-1.5"
      />
    </Field>
  );
}
