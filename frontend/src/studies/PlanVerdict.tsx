import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Notice } from "../components/states";
import { integer, plural } from "../lib/format";
import type { Plan, PlanCheck } from "./api";
import { goToLine } from "./PlanEditor";
import { baselineWords } from "./words";

interface PlanVerdictProps {
  verdict: PlanCheck | undefined;
  checking: boolean;
}

/** What a plan would start, or what is to mend in it. */
export function PlanVerdict({ verdict, checking }: PlanVerdictProps) {
  if (!verdict) {
    return (
      <p role="status" className="panel px-3 py-2.5 text-muted">
        {checking
          ? "Checking the plan…"
          : "Once there is a plan, every cell of it is checked here."}
      </p>
    );
  }
  return (
    <div className="flex flex-col gap-4" aria-busy={checking}>
      {verdict.errors.length > 0 && (
        <Notice
          tone="bad"
          id="plan-problems"
          title={`${plural(verdict.errors.length, "thing")} to mend`}
        >
          <Problems problems={verdict.errors} />
        </Notice>
      )}
      {verdict.errors.length === 0 && verdict.warnings.length > 0 && (
        <Notice tone="warn" title="Worth a look; the study can start">
          <Problems problems={verdict.warnings} />
        </Notice>
      )}
      {verdict.plan && <Contents plan={verdict.plan} verdict={verdict} />}
    </div>
  );
}

function Problems({ problems }: { problems: Problem[] }) {
  return (
    <ul className="mt-1.5 flex max-h-96 flex-col gap-2 overflow-y-auto text-sm">
      {problems.map((problem, i) => (
        <li key={i} data-testid="plan-problem">
          {problem.line != null && (
            <button
              type="button"
              onClick={() => goToLine(problem.line ?? 1)}
              className="font-medium underline decoration-line-strong underline-offset-2 hover:decoration-current"
            >
              Line {integer(problem.line)}
            </button>
          )}
          <p className="break-words">
            <Inline text={problem.message} />{" "}
            <span className="text-muted">
              <Inline text={problem.remedy ?? ""} />
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}

function Contents({ plan, verdict }: { plan: Plan; verdict: PlanCheck }) {
  const factors = Object.entries(plan.factors ?? {});
  const seeds = plan.seeds ?? [];
  const baselines = Object.fromEntries(
    factors.map(([factor, levels]) => [
      factor,
      plan.baseline?.[factor] ?? Object.keys(levels)[0] ?? "",
    ]),
  );
  return (
    <section aria-label="What the plan holds" className="panel">
      <h2 className="border-line border-b px-4 py-2.5 font-semibold">{plan.name}</h2>
      <dl className="flex flex-col px-4 py-2">
        {factors.map(([factor, levels]) => (
          <Line key={factor} label={factor} value={Object.keys(levels).join(", ")} />
        ))}
        <Line label="Seeds" value={seeds.join(", ")} />
        <Line label="Metrics" value={(plan.metrics ?? []).join(", ")} />
        <Line label="Compared with" value={baselineWords(baselines)} />
        <Line label="Project" value={plan.project ?? ""} />
        {verdict.runs > 0 && (
          <Line
            label="Runs"
            value={`${plural(verdict.combinations, "cell")} × ${plural(seeds.length, "seed")} = ${integer(verdict.runs)}`}
          />
        )}
      </dl>
    </section>
  );
}

function Line({ label, value }: { label: string; value: string }) {
  return (
    <div className="flex justify-between gap-4 py-1">
      <dt className="shrink-0 text-muted">{label}</dt>
      <dd className="min-w-0 break-words text-right tabular-nums">{value}</dd>
    </div>
  );
}
