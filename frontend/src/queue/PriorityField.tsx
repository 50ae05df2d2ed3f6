import { useState } from "react";

const LOWEST = -100;
const HIGHEST = 100;

interface PriorityFieldProps {
  name: string;
  value: number;
  onChange: (priority: number) => void;
}

/** Typed and then confirmed by Enter or by leaving; Escape puts the old one back. */
export function PriorityField({ name, value, onChange }: PriorityFieldProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const settle = () => {
    setTyped(null);
    const next = Number(typed);
    if (typed === null || typed.trim() === "" || !Number.isInteger(next) || next === value) return;
    onChange(Math.min(HIGHEST, Math.max(LOWEST, next)));
  };
  return (
    <input
      type="number"
      aria-label={`Priority of ${name}`}
      title={`${LOWEST} to ${HIGHEST}; Enter to apply`}
      min={LOWEST}
      max={HIGHEST}
      step={1}
      value={typed ?? String(value)}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={settle}
      onKeyDown={(event) => {
        if (event.key === "Enter") settle();
        else if (event.key === "Escape") setTyped(null);
      }}
      className="control h-7! w-16 px-2! text-right tabular-nums"
    />
  );
}
