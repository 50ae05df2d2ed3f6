import type { Problem } from "../api/types";

/** The verdict beside the button that starts the run. */
export function VerdictWords({ state, problems }: { state: string; problems: Problem[] }) {
  const words =
    problems.length > 0
      ? `${problems.length} ${problems.length === 1 ? "thing" : "things"} to mend`
      : { checking: "Checking…", valid: "Ready to start", unknown: "Not checked: no answer" }[
          state
        ];
  return (
    <span
      role="status"
      className={`hidden text-sm sm:block ${problems.length ? "text-bad" : "text-faint"}`}
    >
      {words}
    </span>
  );
}
