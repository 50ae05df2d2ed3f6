import type { StudyState } from "./api";

const LOOKS: Record<StudyState, { label: string; chip: string; dot: string; words: string }> = {
  waiting: {
    label: "Waiting",
    chip: "bg-idle-soft text-idle",
    dot: "border border-idle",
    words: "Nothing of it runs now; some runs wait in a queue.",
  },
  running: {
    label: "Running",
    chip: "bg-live-soft text-live",
    dot: "bg-live animate-pulse-dot",
    words: "Some of its runs are under way.",
  },
  complete: {
    label: "Complete",
    chip: "bg-ok-soft text-ok",
    dot: "bg-ok",
    words: "Every run of the plan succeeded.",
  },
  incomplete: {
    label: "Incomplete",
    chip: "bg-warn-soft text-warn",
    dot: "bg-warn rotate-45 rounded-[1px]!",
    words: "All is over, but some runs did not succeed or are gone.",
  },
};

/** Where a study stands, in words and shape. */
export function StudyStateChip({ state }: { state: StudyState }) {
  const look = LOOKS[state];
  return (
    <span
      data-testid="study-state"
      title={look.words}
      className={`inline-flex h-[22px] items-center gap-1.5 whitespace-nowrap rounded-full px-2 font-medium text-xs ${look.chip}`}
    >
      <span aria-hidden="true" className={`size-1.5 rounded-full ${look.dot}`} />
      {look.label}
    </span>
  );
}
