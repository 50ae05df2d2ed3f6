import type { RunComparison } from "../api/types";
import { EvaluationSet } from "./EvaluationSet";
import { Section } from "./Section";

/** What the models can do, and what they kept of their base: the gain beside the forgetting. */
export function EvaluationsSection({ comparison }: { comparison: RunComparison }) {
  const { columns, evaluations } = comparison;
  return (
    <Section
      title="Evaluations: gain and retention"
      note={
        evaluations.length > 0 &&
        "The newest result of each run's model on each set. Differences are less the baseline, over the questions that both answered: bootstrap intervals of 95 %, McNemar's exact test; not adjusted for how many there are. ✓ better, ✗ worse: the interval leaves out zero."
      }
    >
      {evaluations.length === 0 ? (
        <p className="panel px-3 py-6 text-center text-muted">
          None of these runs was evaluated. Name benchmarks under{" "}
          <code className="font-mono text-sm">evaluation.benchmarks</code> in the next run, or
          evaluate these on their Retention tab.
        </p>
      ) : (
        evaluations.map((row) => <EvaluationSet key={row.set} row={row} columns={columns} />)
      )}
    </Section>
  );
}
