import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { asApiError } from "../api/client";
import { Empty, Failure } from "../components/states";
import { buttonClass } from "../components/ui";
import { useTitle } from "../lib/hooks";
import type { StudySearch } from "../searches";
import { Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { AllCells } from "./AllCells";
import { isOpen, type StudyDetail, studyQuery, tableQuery } from "./api";
import { CellDialog } from "./CellDialog";
import { Effects } from "./Effects";
import { Gaps } from "./Gaps";
import { Interactions } from "./Interactions";
import { Matrix } from "./Matrix";
import { PlanText } from "./PlanText";
import { StudyActions } from "./StudyActions";
import { StudyHeader } from "./StudyHeader";
import { ViewControls } from "./ViewControls";
import { tableOf, viewOf } from "./view";

export interface StudyProps {
  study: StudyDetail;
  search: StudySearch;
  onSearch: (change: Partial<StudySearch>) => void;
}

export function StudyPage() {
  const { studyId } = useParams({ from: "/studies/$studyId" });
  const search: StudySearch = useSearch({ from: "/studies/$studyId" });
  const study = useQuery(studyQuery(studyId, viewOf(search)));
  useTitle(study.data?.name ?? "Study");
  if (study.data) return <Known key={studyId} study={study.data} search={search} />;
  if (!study.error) return <PageSkeleton />;
  const missing = asApiError(study.error).status === 404;
  const reset = (
    <Link to="/studies/$studyId" params={{ studyId }} className={buttonClass()}>
      Show it as planned
    </Link>
  );
  return (
    <Page crumbs={[{ label: "Studies", link: { to: "/studies" } }, { label: "Not shown" }]}>
      {missing ? (
        <Empty title="There is no such study">
          It may have been deleted. Its runs, if they were kept, are among the runs.
        </Empty>
      ) : (
        <>
          <Failure error={study.error} onRetry={() => void study.refetch()} />
          {Object.keys(search).length > 0 && <div className="flex justify-center">{reset}</div>}
        </>
      )}
    </Page>
  );
}

function Known({ study, search }: { study: StudyDetail; search: StudySearch }) {
  const navigate = useNavigate({ from: "/studies/$studyId" });
  const onSearch = (change: Partial<StudySearch>) =>
    void navigate({ search: { ...search, ...change }, replace: true, resetScroll: false });
  const metric = search.metric ?? study.report.metrics[0] ?? study.plan.metrics?.[0] ?? "";
  const live = isOpen(study);
  const table = useQuery(tableQuery(study.id, tableOf(search, metric), live));
  const props = { study, search, onSearch };
  return (
    <Page
      crumbs={[{ label: "Studies", link: { to: "/studies" } }, { label: study.name }]}
      actions={<StudyActions study={study} search={search} />}
    >
      <div className="flex flex-col gap-4 p-4 md:p-6">
        <StudyHeader study={study} />
        <ViewControls {...props} metric={metric} table={table.data} />
        <Matrix {...props} metric={metric} table={table} />
        {/* Once the table above has its height, nothing below it moves. */}
        {!table.isPending && (
          <>
            <Effects study={study} metric={metric} />
            <Interactions {...props} metric={metric} />
            <AllCells {...props} />
            <Gaps study={study} />
            <PlanText study={study} />
          </>
        )}
      </div>
      {search.cell && table.data && (
        <CellDialog
          study={study}
          table={table.data}
          cell={search.cell}
          onClose={() => onSearch({ cell: undefined })}
        />
      )}
    </Page>
  );
}
