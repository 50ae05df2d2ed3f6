import type { Draft } from "./draft";

interface SettingsProps {
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

const FIELDS = [
  { name: "samples", label: "Answers per column", min: 1, max: 8, step: 1 },
  { name: "seed", label: "Seed", min: 0, max: 2 ** 32 - 1, step: 1 },
  { name: "temperature", label: "Temperature", min: 0, max: 5, step: 0.05 },
  { name: "topP", label: "Top-p", min: 0.01, max: 1, step: 0.01 },
  { name: "maxTokens", label: "Longest answer, tokens", min: 1, max: 4096, step: 1 },
] as const;

/** How answers are drawn, the same for all columns. */
export function Settings({ draft, onChange }: SettingsProps) {
  return (
    <div className="flex flex-wrap gap-4">
      {FIELDS.map(({ name, label, min, max, step }) => (
        <label key={name} className="flex flex-col gap-1">
          <span className="text-muted text-sm">{label}</span>
          <input
            type="number"
            min={min}
            max={max}
            step={step}
            required
            value={draft[name]}
            onChange={(event) => onChange({ [name]: event.target.valueAsNumber || min })}
            className="control w-36"
          />
        </label>
      ))}
    </div>
  );
}
