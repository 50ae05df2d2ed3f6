import { Link } from "@tanstack/react-router";
import type { Project } from "../api/types";
import { Time } from "../components/Time";
import { Bar, Skeleton } from "../components/ui";
import { integer, percent } from "../lib/format";
import type { StudySummary } from "./api";
import { StudyStateChip } from "./StudyStateChip";
import { baselineWords, deviceTime, failedRuns, shape, tokenCount } from "./words";

const HEADS: [string, string][] = [
  ["Name", ""],
  ["State", ""],
  ["Progress", ""],
  ["Cells", "hidden lg:table-cell"],
  ["Compared with", "hidden xl:table-cell"],
  ["Device time", "text-right"],
  ["Tokens", "hidden text-right lg:table-cell"],
  ["Created", "text-right"],
];
const EDGES = "px-2.5 first:pl-4 last:pr-4 md:first:pl-6 md:last:pr-6";

interface StudiesTableProps {
  studies: StudySummary[] | undefined;
  projects: Project[] | undefined;
}

export function StudiesTable({ studies, projects }: StudiesTableProps) {
  return (
    <div className="overflow-x-auto bg-surface">
      <table className="w-full border-collapse text-left" aria-label="Studies">
        <thead>
          <tr className="eyebrow border-line border-b">
            {HEADS.map(([title, more]) => (
              <th key={title} scope="col" className={`h-9 whitespace-nowrap ${EDGES} ${more}`}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {studies?.map((study) => (
            <Row
              key={study.id}
              study={study}
              project={projects?.find((item) => item.id === study.project_id)}
            />
          ))}
          {!studies && <SkeletonRows />}
        </tbody>
      </table>
    </div>
  );
}

function Row({ study, project }: { study: StudySummary; project: Project | undefined }) {
  const cell = `h-11 ${EDGES}`;
  const baseline = baselineWords(study.baselines);
  return (
    <tr className="border-line border-b transition-colors focus-within:bg-hover hover:bg-hover">
      <td className={`${cell} max-w-72`}>
        <Link
          to="/studies/$studyId"
          params={{ studyId: study.id }}
          title={study.name}
          className="block truncate font-medium hover:text-accent-text"
        >
          {study.name}
        </Link>
        <span className="block truncate text-faint text-xs">{project?.name ?? "\u00a0"}</span>
      </td>
      <td className={cell}>
        <StudyStateChip state={study.state} />
      </td>
      <td className={cell}>
        <StudyProgress study={study} />
      </td>
      <td className={`${cell} hidden whitespace-nowrap tabular-nums lg:table-cell`}>
        {shape(study)}
      </td>
      <td className={`${cell} hidden max-w-56 xl:table-cell`}>
        <span className="block truncate text-muted" title={baseline}>
          {baseline}
        </span>
      </td>
      <td className={`${cell} whitespace-nowrap text-right tabular-nums`}>
        {deviceTime(study.cost)}
      </td>
      <td
        className={`${cell} hidden whitespace-nowrap text-right tabular-nums lg:table-cell`}
        title={study.cost.tokens === null ? undefined : integer(study.cost.tokens)}
      >
        {tokenCount(study.cost.tokens)}
      </td>
      <td className={`${cell} whitespace-nowrap text-right text-muted tabular-nums`}>
        <Time iso={study.created_at} />
      </td>
    </tr>
  );
}

/** Runs that succeeded of those planned, and how far the others are. */
export function StudyProgress({ study }: { study: StudySummary }) {
  const planned = study.combinations * study.seeds;
  const failed = failedRuns(study.runs);
  const tone = study.state === "running" ? "bg-live" : "bg-line-strong";
  return (
    <div className="flex w-32 flex-col gap-1 lg:w-40 text-sm tabular-nums">
      <div className="flex justify-between gap-2">
        <span className="whitespace-nowrap">
          {integer(study.runs.succeeded ?? 0)}{" "}
          <span className="text-faint">/ {integer(planned)} runs</span>
        </span>
        <span className="whitespace-nowrap">
          {failed > 0 && <span className="text-bad">{integer(failed)} failed</span>}
          {failed === 0 && study.progress < 1 && (
            <span className="text-faint">{percent(study.progress)}</span>
          )}
        </span>
      </div>
      <Bar share={study.progress} label={`Progress of ${study.name}`} tone={tone} />
    </div>
  );
}

function SkeletonRows() {
  return Array.from({ length: 6 }, (_, row) => (
    <tr key={row} className="border-line border-b">
      {HEADS.map(([title, more]) => (
        <td key={title} className={`h-11 ${EDGES} ${more}`}>
          <Skeleton className="h-3 w-3/4" />
        </td>
      ))}
    </tr>
  ));
}
