import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { FileUp, Plus } from "lucide-react";
import { projectsQuery } from "../api/queries";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { buttonClass } from "../components/ui";
import { plural } from "../lib/format";
import { useTitle } from "../lib/hooks";
import type { StudiesSearch } from "../searches";
import { Page } from "../shell/Page";
import { studiesQuery } from "./api";
import { StudiesTable } from "./StudiesTable";

const PAGE_SIZE = 50;

/** Questions that were put to many runs. */
export function StudiesPage() {
  useTitle("Studies");
  const search: StudiesSearch = useSearch({ from: "/studies" });
  const navigate = useNavigate({ from: "/studies" });
  const page = search.page ?? 1;
  const studies = useQuery(
    studiesQuery({
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      ...(search.q ? { q: search.q } : {}),
    }),
  );
  const projects = useQuery(projectsQuery);
  const change = (next: StudiesSearch) =>
    void navigate({ search: { ...search, page: undefined, ...next }, replace: true });
  const actions = (
    <>
      <Link to="/studies/new" className={buttonClass()}>
        <FileUp aria-hidden="true" className="size-4" />
        From a plan
      </Link>
      <Link to="/runs/new" className={buttonClass("primary")}>
        <Plus aria-hidden="true" className="size-4" />
        New study
      </Link>
    </>
  );
  const body = () => {
    if (studies.error && !studies.data) {
      return <Failure error={studies.error} onRetry={() => void studies.refetch()} />;
    }
    if (studies.data?.total === 0) return search.q ? <NoMatch /> : <NoStudies />;
    return <StudiesTable studies={studies.data?.items} projects={projects.data?.items} />;
  };
  const total = studies.data?.total;
  return (
    <Page crumbs={[{ label: "Studies" }]} actions={actions}>
      {(search.q || total !== 0) && (
        <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5 md:px-6">
          <NameSearch
            value={search.q ?? ""}
            label="Search studies by name"
            onChange={(q) => change({ q: q || undefined })}
          />
          <span className="ml-auto text-faint text-sm" aria-live="polite">
            {total === undefined ? "" : plural(total, "study", "studies")}
          </span>
        </div>
      )}
      {body()}
      {total !== undefined && total > PAGE_SIZE && (
        <Paging
          page={page}
          total={total}
          size={PAGE_SIZE}
          onPage={(next) => change({ page: next > 1 ? next : undefined })}
        />
      )}
    </Page>
  );
}

function NoMatch() {
  return <Empty title="No study matches">Nothing has this in its name. Loosen the search.</Empty>;
}

function NoStudies() {
  return (
    <Empty
      title="No studies yet"
      action={
        <div className="flex gap-2">
          <Link to="/runs/new" className={buttonClass("primary")}>
            New study
          </Link>
          <Link to="/studies/new" className={buttonClass()}>
            From a plan
          </Link>
        </div>
      }
    >
      A study puts one question to many runs: every combination of mechanisms, data or models, each
      with several seeds. It says what each choice changes, how sure that is, and what it cost.
    </Empty>
  );
}
