interface VerdictWordsProps {
  state: string;
  problems: number;
  /** Shows the first of the problems. */
  onOpen: () => void;
}

/** The verdict beside the button that starts the run. */
export function VerdictWords({ state, problems, onOpen }: VerdictWordsProps) {
  const words = {
    checking: "Checking…",
    valid: "Ready to start",
    unknown: "Not checked: no answer",
  };
  return (
    <span role="status" className="hidden text-faint text-sm sm:block">
      {problems > 0 ? (
        <button
          type="button"
          onClick={onOpen}
          className="text-bad underline decoration-bad-line underline-offset-2 hover:decoration-current"
        >
          {problems} {problems === 1 ? "thing" : "things"} to mend
        </button>
      ) : (
        words[state as keyof typeof words]
      )}
    </span>
  );
}
