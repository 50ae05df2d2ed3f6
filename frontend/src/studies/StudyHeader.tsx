import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { projectsQuery } from "../api/queries";
import { Time } from "../components/Time";
import { Bar } from "../components/ui";
import { eta, integer, percent } from "../lib/format";
import type { StudyDetail } from "./api";
import { StudyStateChip } from "./StudyStateChip";
import { baselineWords, deviceTime, shape, stateCounts, tokenCount } from "./words";

/** Where the study stands and what it took so far. */
export function StudyHeader({ study }: { study: StudyDetail }) {
  const projects = useQuery(projectsQuery);
  const gone = study.combinations * study.seeds - study.cells.length;
  const project = projects.data?.items.find((item) => item.id === study.project_id);
  return (
    <section aria-label="Where it stands" className="panel flex flex-col gap-3 px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <StudyStateChip state={study.state} />
        <span className="tabular-nums" data-testid="study-counts">
          {stateCounts(gone > 0 ? { ...study.runs, deleted: gone } : study.runs)}
        </span>
        {study.state === "running" && (
          <span className="text-muted tabular-nums" title="If as many runs as now go on at once">
            {study.eta_seconds === null
              ? "time left not known yet"
              : `${eta(study.eta_seconds)} left`}
          </span>
        )}
        <div className="ml-auto flex w-64 items-center gap-3 print:hidden">
          <Bar
            share={study.progress}
            label="Progress of the study"
            tone={study.state === "running" ? "bg-live" : "bg-line-strong"}
            className="flex-1"
          />
          <span className="w-12 text-right text-muted text-sm tabular-nums">
            {percent(study.progress)}
          </span>
        </div>
      </div>
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        <Fact label="Cells">{shape(study)}</Fact>
        <Fact label="Compared with">{baselineWords(study.report.baselines)}</Fact>
        <Fact label="Device time">{deviceTime(study.cost)}</Fact>
        <Fact label="Tokens">
          <span title={study.cost.tokens === null ? "" : integer(study.cost.tokens)}>
            {tokenCount(study.cost.tokens)}
          </span>
        </Fact>
        <Fact label="Created">
          <Time iso={study.created_at} />
        </Fact>
        <Fact label="Project">
          <Link
            to="/projects/$projectId/runs"
            params={{ projectId: study.project_id }}
            className="hover:text-accent-text"
          >
            {project?.name ?? "Open"}
          </Link>
        </Fact>
      </dl>
    </section>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="eyebrow">{label}</dt>
      <dd className="break-words tabular-nums">{children}</dd>
    </div>
  );
}
