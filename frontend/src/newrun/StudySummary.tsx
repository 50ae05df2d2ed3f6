import { plural } from "../lib/format";
import { type Grid, runsOf, type StudyPlan, valuesIn } from "./grid";
import { fullTitle } from "./schema";

interface StudySummaryProps {
  plan: StudyPlan;
  grid: Grid;
  onOpen: (path: string) => void;
}

/** What is tried in several values, and how many runs that makes. */
export function StudySummary({ plan, grid, onOpen }: StudySummaryProps) {
  const tried = Object.entries(grid)
    .map(([path, text]) => ({ path, values: valuesIn(text) }))
    .filter(({ values }) => values.length > 1);
  const product = tried.map(({ values }) => values.length).join(" × ");
  return (
    <section className="panel" aria-label="Study" data-testid="study-summary">
      <h2 className="border-line border-b px-4 py-2.5 font-semibold">
        Study of {plural(runsOf(grid), "run")}
        {tried.length > 1 && <span className="font-normal text-muted"> · {product}</span>}
      </h2>
      <ul className="flex flex-col gap-1.5 px-4 py-2.5">
        {tried.map(({ path, values }) => (
          <li key={path}>
            <a
              href={`#field-${path}`}
              onClick={(event) => {
                event.preventDefault();
                onOpen(path);
              }}
              className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
            >
              {fullTitle(path)}
            </a>
            <p className="line-clamp-2 break-words font-mono text-muted text-sm">
              {values.join(", ")}
            </p>
          </li>
        ))}
      </ul>
      <p className="border-line border-t px-4 py-2 text-muted text-sm">
        Each combination is a run of “{plan.name}”; none starts unless all are right.
      </p>
    </section>
  );
}
