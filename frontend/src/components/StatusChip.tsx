import type { RunStatus } from "../api/types";

interface Look {
  label: string;
  chip: string;
  dot: string;
  pulse?: boolean;
}

const LOOKS: Record<RunStatus, Look> = {
  queued: { label: "Queued", chip: "bg-idle-soft text-idle", dot: "border border-idle" },
  starting: { label: "Starting", chip: "bg-live-soft text-live", dot: "bg-live", pulse: true },
  running: { label: "Running", chip: "bg-live-soft text-live", dot: "bg-live", pulse: true },
  stopping: { label: "Stopping", chip: "bg-warn-soft text-warn", dot: "bg-warn", pulse: true },
  stopped: { label: "Stopped", chip: "bg-idle-soft text-idle", dot: "bg-idle rounded-[2px]!" },
  succeeded: { label: "Succeeded", chip: "bg-ok-soft text-ok", dot: "bg-ok" },
  failed: { label: "Failed", chip: "bg-bad-soft text-bad", dot: "bg-bad rotate-45 rounded-[1px]!" },
  crashed: {
    label: "Crashed",
    chip: "bg-bad-soft text-bad",
    dot: "bg-bad rotate-45 rounded-[1px]!",
  },
  cancelled: { label: "Cancelled", chip: "bg-idle-soft text-idle", dot: "border border-idle" },
};

export const statusLabel = (status: RunStatus): string => LOOKS[status].label;

interface StatusChipProps {
  status: RunStatus;
  testId?: string;
  /** A state of the past does not pulse. */
  still?: boolean;
}

/** The state in words and shape, so that colour is never the only sign. */
export function StatusChip({ status, testId, still = false }: StatusChipProps) {
  const look = LOOKS[status];
  return (
    <span
      data-testid={testId}
      data-status={status}
      className={`inline-flex h-[22px] items-center gap-1.5 whitespace-nowrap rounded-full px-2 font-medium text-xs ${look.chip}`}
    >
      <span
        aria-hidden="true"
        className={`size-1.5 rounded-full ${look.dot} ${look.pulse && !still ? "animate-pulse-dot" : ""}`}
      />
      {look.label}
    </span>
  );
}
