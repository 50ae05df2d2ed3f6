import type { DatasetReport } from "../api/types";
import { integer, plural } from "../lib/format";

/** What is wrong, line by line, and which prompts stand there twice. */
export function Problems({ report }: { report: DatasetReport }) {
  return (
    <>
      {report.problems.length > 0 && (
        <section aria-label="Problems" className="panel overflow-hidden">
          <h2 className="border-line border-b px-4 py-2.5 font-semibold">
            {plural(report.broken, "row is", "rows are")} left out
            {report.broken > report.problems.length && (
              <span className="ml-2 font-normal text-muted text-sm">
                the first {integer(report.problems.length)}
              </span>
            )}
          </h2>
          <ul className="max-h-80 divide-y divide-line overflow-y-auto">
            {report.problems.map((problem) => (
              <li
                key={`${problem.line} ${problem.message}`}
                data-testid="dataset-problem"
                className="grid grid-cols-[5rem_minmax(0,1fr)] gap-3 px-4 py-2"
              >
                <span className="text-bad tabular-nums">Line {integer(problem.line)}</span>
                <span className="break-words">
                  {problem.message} <span className="text-muted">{problem.remedy}</span>
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {report.duplicates > 0 && (
        <section aria-label="Repeated prompts" className="panel px-4 py-3">
          <h2 className="font-semibold">
            {plural(report.duplicates, "prompt stands", "prompts stand")} in an earlier line too
          </h2>
          <p className="text-muted tabular-nums">
            {report.duplicate_lines
              .slice(0, 20)
              .map((repeat) => `line ${integer(repeat.line)} repeats line ${integer(repeat.first)}`)
              .join(", ")}
            {report.duplicates > 20 && " and more"}
          </p>
        </section>
      )}
    </>
  );
}
