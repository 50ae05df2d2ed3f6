import { Printer, ZoomOut } from "lucide-react";
import { useEffect, useState } from "react";
import type { RunDetail } from "../api/types";
import { Button, Segmented, Switch } from "../components/ui";
import { useDebounced, useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { type RunSearch, X_AXES, type XAxis } from "../searches";
import { hasAxis } from "./axes";
import { LayoutMenu } from "./LayoutMenu";
import type { ChartGroup } from "./specs";

const AXES: Record<XAxis, { label: string; title: string }> = {
  step: { label: "Step", title: "Optimizer steps" },
  tokens: { label: "Tokens", title: "Completion tokens so far" },
  epoch: { label: "Epoch", title: "Passes over the records so far" },
  time: { label: "Relative", title: "Time since the attempt's first value" },
  wall: { label: "Wall clock", title: "Date and time" },
};

const KEYS = {
  title: "Charts",
  keys: [
    [["l"], "Logarithmic y axis"],
    [["x"], "Next x axis"],
    [["o"], "Ignore outliers"],
  ],
} as const;

interface ChartControlsProps {
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
  run: RunDetail;
  current: number | null;
  groups: readonly ChartGroup[];
  /** Metrics of the attempt, a line each. */
  names: string;
}

export function ChartControls(props: ChartControlsProps) {
  const { search, onSearch, run, current } = props;
  const metrics = props.names.split("\n");
  const axes = X_AXES.filter((axis) => hasAxis(axis, metrics));
  const x = search.x ?? "step";
  const setX = (next: XAxis) =>
    onSearch({ x: next === "step" ? undefined : next, from: undefined, to: undefined });
  const setLog = (log: boolean) => onSearch({ log: log || undefined });
  useKeys({
    l: () => setLog(!search.log),
    x: () => setX(axes[(axes.indexOf(x) + 1) % axes.length] ?? "step"),
    o: () => onSearch({ clip: !search.clip || undefined }),
  });
  useKeyHelp(KEYS);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 print:hidden">
      <Smoothing
        value={search.smooth ?? 0}
        onChange={(smooth) => onSearch({ smooth: smooth || undefined })}
      />
      <Segmented
        label="Horizontal axis"
        value={x}
        options={axes.map((axis) => ({ value: axis, ...AXES[axis] }))}
        onChange={setX}
        small
      />
      <Switch checked={search.log ?? false} onChange={setLog}>
        Log y
      </Switch>
      {x !== "wall" && (
        <Switch
          checked={search.logx ?? false}
          onChange={(logx) => onSearch({ logx: logx || undefined })}
        >
          Log x
        </Switch>
      )}
      <Switch
        checked={search.clip ?? false}
        onChange={(clip) => onSearch({ clip: clip || undefined })}
      >
        <span title="The vertical axis leaves out the outermost 2 % at either end">
          Ignore outliers
        </span>
      </Switch>
      <Attempts search={search} onSearch={onSearch} run={run} current={current} />
      <span className="ml-auto flex items-center gap-2">
        {search.from !== undefined && (
          <Button small onClick={() => onSearch({ from: undefined, to: undefined })}>
            <ZoomOut aria-hidden="true" className="size-3.5" />
            Whole range
          </Button>
        )}
        <LayoutMenu groups={props.groups} />
        <Button small onClick={() => window.print()} title="Print the page, or save it as PDF">
          <Printer aria-hidden="true" className="size-3.5" />
          Print
        </Button>
      </span>
    </div>
  );
}

type AttemptsProps = Pick<ChartControlsProps, "search" | "onSearch" | "run" | "current">;

function Attempts({ search, onSearch, run, current }: AttemptsProps) {
  if (run.attempts.length < 2 || current === null) return null;
  return (
    <>
      <label className="flex items-center gap-2 text-sm">
        <span className="text-muted">Attempt</span>
        <select
          value={search.attempt ?? current}
          onChange={(event) => {
            const chosen = Number(event.target.value);
            onSearch({ attempt: chosen === current ? undefined : chosen });
          }}
          className="control h-7!"
        >
          {run.attempts.map(({ number }) => (
            <option key={number} value={number}>
              {number}
              {number === current ? " (latest)" : ""}
            </option>
          ))}
        </select>
      </label>
      <Switch
        checked={!search.alone}
        onChange={(others) => onSearch({ alone: others ? undefined : true })}
      >
        Other attempts
      </Switch>
    </>
  );
}

export function Smoothing({
  value,
  onChange,
}: {
  value: number;
  onChange: (value: number) => void;
}) {
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
        className="w-24 accent-(--accent)"
      />
      <output className="w-8 tabular-nums">{held.toFixed(2)}</output>
    </label>
  );
}
