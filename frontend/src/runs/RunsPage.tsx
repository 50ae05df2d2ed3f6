import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { ChevronLeft, ChevronRight, Plus } from "lucide-react";
import { projectsQuery, type RunsQuery, runsQuery } from "../api/queries";
import type { RunStatus } from "../api/types";
import { Empty, Failure } from "../components/states";
import { buttonClass, IconButton } from "../components/ui";
import { integer } from "../lib/format";
import { useTitle } from "../lib/hooks";
import type { RunsSearch } from "../searches";
import { Page } from "../shell/Page";
import { NoRuns } from "./NoRuns";
import { RunsTable } from "./RunsTable";
import { RunsToolbar } from "./RunsToolbar";

const PAGE_SIZE = 50;

export function RunsPage({ projectId }: { projectId: string | undefined }) {
  const search: RunsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const page = search.page ?? 1;
  const query: RunsQuery = {
    limit: PAGE_SIZE,
    offset: (page - 1) * PAGE_SIZE,
    sort: search.sort ?? "-created_at",
    ...(projectId ? { project_id: projectId } : {}),
    ...(search.q ? { q: search.q } : {}),
    ...(search.status ? { status: search.status.split(",") as RunStatus[] } : {}),
  };
  const runs = useQuery(runsQuery(query));
  const projects = useQuery(projectsQuery);
  const project = projects.data?.items.find((item) => item.id === projectId);
  useTitle(project ? `${project.name}: runs` : "Runs");

  const setSearch = (change: Partial<RunsSearch>) =>
    void navigate({
      to: ".",
      search: { ...search, page: undefined, ...change },
      replace: true,
    });
  const filtered = Boolean(search.q || search.status);
  const newRun = (
    <Link
      to="/runs/new"
      search={projectId ? { project: projectId } : {}}
      className={buttonClass("primary")}
    >
      <Plus aria-hidden="true" className="size-4" />
      New run
    </Link>
  );

  const body = () => {
    if (runs.error && !runs.data) {
      return <Failure error={runs.error} onRetry={() => void runs.refetch()} />;
    }
    if (runs.data?.total === 0) {
      return filtered ? (
        <Empty title="No run matches">
          Nothing has this name and state. Loosen the search or the filter.
        </Empty>
      ) : (
        <NoRuns action={newRun} />
      );
    }
    return (
      <RunsTable
        runs={runs.data?.items}
        sort={search.sort ?? "-created_at"}
        onSort={(sort) => setSearch({ sort: sort === "-created_at" ? undefined : sort })}
        showProject={projectId ? undefined : projects.data?.items}
      />
    );
  };

  const crumbs = project
    ? [{ label: "Runs", link: { to: "/" } as const }, { label: project.name }]
    : [{ label: "Runs" }];
  const showToolbar = filtered || (runs.data?.total ?? 1) > 0;
  return (
    <Page crumbs={crumbs} actions={newRun}>
      {showToolbar && <RunsToolbar search={search} onChange={setSearch} total={runs.data?.total} />}
      {body()}
      {runs.data && runs.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={runs.data.total}
          onPage={(next) => setSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </Page>
  );
}

interface PagingProps {
  page: number;
  total: number;
  size?: number;
  onPage: (page: number) => void;
}

export function Paging({ page, total, size = PAGE_SIZE, onPage }: PagingProps) {
  const last = Math.max(1, Math.ceil(total / size));
  const from = Math.min(total, (page - 1) * size + 1);
  return (
    <nav
      aria-label="Pages"
      className="flex items-center justify-end gap-2 px-4 py-3 text-sm tabular-nums md:px-6"
    >
      <span className="text-muted">
        {integer(from)}–{integer(Math.min(total, page * size))} of {integer(total)}
      </span>
      <IconButton label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        <ChevronLeft className="size-4" />
      </IconButton>
      <IconButton label="Next page" disabled={page >= last} onClick={() => onPage(page + 1)}>
        <ChevronRight className="size-4" />
      </IconButton>
    </nav>
  );
}
