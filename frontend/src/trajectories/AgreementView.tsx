import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type AgreementReport, agreementQuery } from "../api/trajectoryQueries";
import { isActive, type RunDetail } from "../api/types";
import { Sparkline } from "../components/Sparkline";
import { Empty, Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { integer, number, plural } from "../lib/format";
import { DisputedExamples, DisputedParts, DisputedTokens } from "./Disputed";
import { Reliability, ReliabilityTable, verdict } from "./Reliability";
import type { TrajectoriesProps } from "./TrajectoriesTab";

/** Where the auxiliary teachers of the run disagree, and whether that tells right from wrong. */
export function AgreementView(props: TrajectoriesProps & { views: ReactNode }) {
  const { run, onSearch, views } = props;
  const { data, error, refetch } = useQuery(agreementQuery(run.id, isActive(run.status)));
  const open = (trajectory: number, token?: number) =>
    onSearch({ trajectory, token, ...(token === undefined ? {} : { by: "disagreement" }) }, true);
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5 md:px-6">
        {views}
        {data?.enabled && (
          <span className="text-muted text-sm" aria-live="polite">
            {basis(data)}
          </span>
        )}
      </div>
      {error && !data && <Failure error={error} onRetry={() => void refetch()} />}
      {!data && !error && <Skeleton className="mx-6 h-96" />}
      {data && !data.enabled && <Nothing run={run} />}
      {data?.enabled && <Report report={data} onOpen={open} />}
    </>
  );
}

function basis(report: AgreementReport): string {
  const parts = [
    `${plural(report.trajectories, "rollout", "rollouts")}, ${integer(report.graded)} graded`,
    report.read < report.trajectories
      ? `tokens of ${integer(report.read)} of them`
      : `${integer(report.read_tokens)} tokens`,
  ];
  if (!report.complete) parts.push("reading the rest…");
  if (report.unreadable) {
    parts.push(`${plural(report.unreadable, "file", "files")} not readable from here`);
  }
  return `Based on ${parts.join("; ")}`;
}

interface ReportProps {
  report: AgreementReport;
  onOpen: (trajectory: number, token?: number) => void;
}

function Report({ report, onOpen }: ReportProps) {
  const spread = report.statistic === "range" ? "range" : "variance";
  return (
    <div className="flex flex-col gap-4 border-line border-t px-4 py-4 md:px-6">
      <Section title="Does disagreement point at wrong answers?" note={verdict(report.separation)}>
        {report.reliability.length > 0 ? (
          <div className="grid items-center gap-x-8 gap-y-3 xl:grid-cols-[3fr_2fr]">
            <Reliability bins={report.reliability} />
            <ReliabilityTable bins={report.reliability} />
          </div>
        ) : (
          <p className="text-muted text-sm">
            No rollout was graded. Answers in code are not run while training, so they have no grade
            here.
          </p>
        )}
      </Section>
      <div className="grid items-start gap-4 xl:grid-cols-2">
        <Section
          title="By step"
          note={`Mean ${spread} of the ${report.views} auxiliary teachers' log-probabilities.`}
        >
          <Steps report={report} />
        </Section>
        <Section title="By part of the answer">
          <DisputedParts report={report} />
        </Section>
        <Section
          title="Most disagreed tokens"
          note={`Texts that stand at ${report.least_count} places or more. A press opens the place at which they disagree most.`}
        >
          {report.tokens.length > 0 ? (
            <DisputedTokens report={report} onOpen={onOpen} />
          ) : (
            <p className="text-muted text-sm">No text stands at so many places yet.</p>
          )}
        </Section>
        <Section
          title="Most disagreed examples"
          note="Mean over all rollouts of an example. A press opens the most disagreed one."
        >
          <DisputedExamples report={report} onOpen={onOpen} />
        </Section>
      </div>
    </div>
  );
}

interface SectionProps {
  title: string;
  note?: string;
  children: ReactNode;
}

function Section({ title, note, children }: SectionProps) {
  return (
    <div className="panel min-w-0 px-4 py-3">
      <h2 className="font-semibold">{title}</h2>
      {note && <p className="mt-0.5 text-muted text-sm">{note}</p>}
      <section aria-label={title} tabIndex={0} className="mt-2 max-h-[32rem] overflow-auto">
        {children}
      </section>
    </div>
  );
}

function Steps({ report }: { report: AgreementReport }) {
  const { steps } = report;
  const first = steps[0];
  const last = steps.at(-1);
  if (!first || !last) return null;
  const lines: [string, (number | null)[]][] = [
    ["Disagreement", steps.map((one) => one.disagreement)],
    ["Weight", steps.map((one) => one.weight)],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr_auto] items-center gap-x-3 gap-y-2 text-sm">
      {lines.map(([name, values]) => {
        const known = values.filter((value): value is number => value !== null);
        if (known.length === 0) return null;
        return (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd>
              <Sparkline
                values={values}
                label={`${name} from step ${first.first_step} to ${last.last_step}`}
                fluid
              />
            </dd>
            <dd className="text-right tabular-nums">
              {number(known[0], 3)} → {number(known.at(-1), 3)}
            </dd>
          </div>
        );
      })}
      <div className="contents text-faint text-xs">
        <dt className="sr-only">Steps</dt>
        <dd className="col-start-2 flex justify-between tabular-nums">
          <span>step {integer(first.first_step)}</span>
          <span>step {integer(last.last_step)}</span>
        </dd>
      </div>
    </dl>
  );
}

function Nothing({ run }: { run: RunDetail }) {
  const on = "objective" in run.config && run.config.objective?.agreement?.enabled;
  if (!on) {
    return (
      <Empty title="Teacher agreement is off">
        This run has one teacher, so nobody disagrees with it. Turn on{" "}
        <code className="font-mono text-sm">objective.agreement</code> in the next run to see where
        several teachers do, and whether that points at wrong answers.
      </Empty>
    );
  }
  return (
    <Empty title="Nothing recorded yet">
      {isActive(run.status)
        ? "What the teachers disagree on appears here with the first recorded step."
        : "The run has no recorded rollout with a disagreement."}
    </Empty>
  );
}
