import { ZoomOut } from "lucide-react";
import { useEffect, useState } from "react";
import type { Attempt } from "../api/types";
import { Button, Segmented, Switch } from "../components/ui";
import { useDebounced, useKeys } from "../lib/hooks";
import { type RunSearch, X_AXES, type XAxis } from "../searches";

const AXES: { value: XAxis; label: string; title: string }[] = [
  { value: "step", label: "Step", title: "Optimizer steps" },
  { value: "tokens", label: "Tokens", title: "Completion tokens so far" },
  { value: "epoch", label: "Epoch", title: "Passes over the records so far" },
  { value: "time", label: "Relative", title: "Time since the attempt's first value" },
  { value: "wall", label: "Wall clock", title: "Date and time" },
];

interface ChartControlsProps {
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
  attempts: Attempt[];
  current: number | null;
}

export function ChartControls({ search, onSearch, attempts, current }: ChartControlsProps) {
  const x = search.x ?? "step";
  const setX = (next: XAxis) =>
    onSearch({ x: next === "step" ? undefined : next, from: undefined, to: undefined });
  const setLog = (log: boolean) => onSearch({ log: log || undefined });
  useKeys({
    l: () => setLog(!search.log),
    x: () => setX(X_AXES[(X_AXES.indexOf(x) + 1) % X_AXES.length] ?? "step"),
  });
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <Smoothing
        value={search.smooth ?? 0}
        onChange={(smooth) => onSearch({ smooth: smooth || undefined })}
      />
      <Segmented label="Horizontal axis" value={x} options={AXES} onChange={setX} small />
      <Switch checked={search.log ?? false} onChange={setLog}>
        Log scale
      </Switch>
      {search.from !== undefined && (
        <Button small onClick={() => onSearch({ from: undefined, to: undefined })}>
          <ZoomOut aria-hidden="true" className="size-3.5" />
          Whole range
        </Button>
      )}
      {attempts.length > 1 && current !== null && (
        <label className="ml-auto flex items-center gap-2 text-sm">
          <span className="text-muted">Attempt</span>
          <select
            value={search.attempt ?? current}
            onChange={(event) => {
              const chosen = Number(event.target.value);
              onSearch({ attempt: chosen === current ? undefined : chosen });
            }}
            className="control h-7!"
          >
            {attempts.map((attempt) => (
              <option key={attempt.number} value={attempt.number}>
                {attempt.number}
                {attempt.number === current ? " (latest)" : ""}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function Smoothing({ value, onChange }: { value: number; onChange: (value: number) => void }) {
  const [held, setHeld] = useState(value);
  const settled = useDebounced(held, 120);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a pause in sliding reports
  useEffect(() => {
    if (settled !== value) onChange(settled);
  }, [settled]);
  useEffect(() => setHeld(value), [value]);
  return (
    <label className="flex items-center gap-2 text-sm" title="Debiased exponential moving average">
      <span className="text-muted">Smoothing</span>
      <input
        type="range"
        min={0}
        max={0.99}
        step={0.01}
        value={held}
        onChange={(event) => setHeld(Number(event.target.value))}
        className="w-32 accent-(--accent)"
      />
      <output className="w-8 tabular-nums">{held.toFixed(2)}</output>
    </label>
  );
}
