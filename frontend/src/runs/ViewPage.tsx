import { useQuery } from "@tanstack/react-query";
import { Navigate } from "@tanstack/react-router";
import { Failure } from "../components/states";
import { runsSearch } from "../searches";
import { Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { viewQuery } from "./views";

/** A saved view's own address leads to the list as it is kept now. */
export function ViewPage({ viewId }: { viewId: string }) {
  const view = useQuery(viewQuery(viewId));
  if (view.error) {
    return (
      <Page crumbs={[{ label: "Runs", link: { to: "/" } }, { label: "View" }]}>
        <Failure error={view.error} onRetry={() => void view.refetch()} />
      </Page>
    );
  }
  if (!view.data) return <PageSkeleton />;
  const search = runsSearch({ ...view.data.search, view: viewId });
  return view.data.project_id ? (
    <Navigate
      to="/projects/$projectId/runs"
      params={{ projectId: view.data.project_id }}
      search={search}
      replace
    />
  ) : (
    <Navigate to="/" search={search} replace />
  );
}
