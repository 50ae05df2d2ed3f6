import type { WorkerFit } from "../../api/types";
import { bytes } from "../../lib/format";

type Need = NonNullable<WorkerFit["need"]>;
type Part = Exclude<keyof Need, "peak">;

const PARTS: readonly [Part, string, string][] = [
  ["base", "Base weights", "bg-accent"],
  ["adapters", "Adapters", "bg-accent/75"],
  ["optimizer", "Gradients and optimizer", "bg-accent/50"],
  ["sampling", "While sampling", "bg-live"],
  ["activations", "Activations", "bg-live"],
  ["head", "Logits", "bg-live/60"],
  ["runtime", "Libraries", "bg-idle"],
];

/** What stands on the device at the peak: sampling and the student's pass take turns. */
function partsAtPeak(need: Need): [string, string, number][] {
  const pass = need.activations + need.head;
  const idle: readonly Part[] = need.sampling > pass ? ["activations", "head"] : ["sampling"];
  return PARTS.filter(([part]) => !idle.includes(part) && need[part] > 0).map(
    ([part, title, tone]) => [title, tone, need[part]],
  );
}

/** A run's memory against what there is. */
export function MemoryBar({ worker }: { worker: WorkerFit }) {
  const { capacity, free, need } = worker;
  if (!need) {
    return <p className="text-muted">{capacity ? `${bytes(capacity)} of memory` : ""}</p>;
  }
  const parts = partsAtPeak(need);
  const whole = Math.max(capacity ?? 0, need.peak);
  const share = (value: number) => `${(100 * value) / whole}%`;
  const limit = capacity !== null && capacity < need.peak ? share(capacity) : null;
  return (
    <div
      className="min-w-0"
      title="At the longest prompts and completions that are allowed, on each device. Sampling and the student's pass come one after the other: the larger of the two counts."
    >
      <p className="flex justify-between gap-3 tabular-nums">
        <span>
          <strong className="font-medium">{bytes(need.peak)}</strong>
          {capacity !== null && <span className="text-muted"> of {bytes(capacity)}</span>}
        </span>
        <span className="text-muted">{free === null ? "" : `${bytes(free)} free now`}</span>
      </p>
      <div
        aria-hidden="true"
        className="relative my-1.5 flex h-2 overflow-hidden rounded-full bg-line"
      >
        {parts.map(([title, tone, size]) => (
          <span
            key={title}
            className={`${tone} border-surface border-r last:border-r-0`}
            style={{ width: share(size) }}
          />
        ))}
        {limit && (
          <span className="absolute inset-y-0 w-0.5 bg-ink" style={{ insetInlineStart: limit }} />
        )}
      </div>
      <ul className="flex flex-wrap gap-x-3 gap-y-0.5 text-muted text-xs">
        {parts.map(([title, tone, size]) => (
          <li key={title} className="inline-flex items-center gap-1 tabular-nums">
            <span aria-hidden="true" className={`size-2 rounded-[2px] ${tone}`} />
            {title} {bytes(size)}
          </li>
        ))}
      </ul>
    </div>
  );
}
