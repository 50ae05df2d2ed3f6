import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { parseSearch, stringifySearch } from "./lib/search";
import { RunsPage } from "./runs/RunsPage";
import { ViewPage } from "./runs/ViewPage";
import {
  artifactsSearch,
  compareSearch,
  datasetSearch,
  newRunSearch,
  runSearch,
  runsSearch,
  studiesSearch,
  studySearch,
  workersSearch,
} from "./searches";
import { AppShell } from "./shell/AppShell";
import { BrokenPage, NotFoundPage, PageSkeleton } from "./shell/pages";
import { comparisonSearch, sideBySideSearch } from "./sidebyside/searches";

const rootRoute = createRootRoute({ component: AppShell, notFoundComponent: NotFoundPage });

const runsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: runsSearch,
  component: () => <RunsPage projectId={undefined} />,
});

const projectRunsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/projects/$projectId/runs",
  validateSearch: runsSearch,
  component: function ProjectRuns() {
    const { projectId } = projectRunsRoute.useParams();
    return <RunsPage projectId={projectId} />;
  },
});

const viewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/views/$viewId",
  component: function SavedView() {
    return <ViewPage viewId={viewRoute.useParams().viewId} />;
  },
});

const newRunRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/new",
  validateSearch: newRunSearch,
  component: lazyRouteComponent(() => import("./newrun/NewRunPage"), "NewRunPage"),
});

const runRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/runs/$runId",
  validateSearch: runSearch,
  component: lazyRouteComponent(() => import("./run/RunPage"), "RunPage"),
});

const compareRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/compare",
  validateSearch: compareSearch,
  component: lazyRouteComponent(() => import("./compare/ComparePage"), "ComparePage"),
});

const sideBySideRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/side-by-side",
  validateSearch: sideBySideSearch,
  component: lazyRouteComponent(() => import("./sidebyside/SideBySidePage"), "SideBySidePage"),
});

const comparisonRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/side-by-side/$comparisonId",
  validateSearch: comparisonSearch,
  component: lazyRouteComponent(() => import("./sidebyside/ComparisonPage"), "ComparisonPage"),
});

const datasetsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets",
  component: lazyRouteComponent(() => import("./datasets/DatasetsPage"), "DatasetsPage"),
});

const datasetRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/datasets/$datasetId",
  validateSearch: datasetSearch,
  component: lazyRouteComponent(() => import("./datasets/DatasetPage"), "DatasetPage"),
});

const studiesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/studies",
  validateSearch: studiesSearch,
  component: lazyRouteComponent(() => import("./studies/StudiesPage"), "StudiesPage"),
});

const newStudyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/studies/new",
  component: lazyRouteComponent(() => import("./studies/NewStudyPage"), "NewStudyPage"),
});

const studyRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/studies/$studyId",
  validateSearch: studySearch,
  component: lazyRouteComponent(() => import("./studies/StudyPage"), "StudyPage"),
});

const workersRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/workers",
  validateSearch: workersSearch,
  component: lazyRouteComponent(() => import("./workers/WorkersPage"), "WorkersPage"),
});

const queueRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/queue",
  component: lazyRouteComponent(() => import("./queue/QueuePage"), "QueuePage"),
});

const artifactsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/artifacts",
  validateSearch: artifactsSearch,
  component: lazyRouteComponent(() => import("./artifacts/ArtifactsPage"), "ArtifactsPage"),
});

const routeTree = rootRoute.addChildren([
  runsRoute,
  projectRunsRoute,
  viewRoute,
  newRunRoute,
  runRoute,
  compareRoute,
  sideBySideRoute,
  comparisonRoute,
  datasetsRoute,
  datasetRoute,
  studiesRoute,
  newStudyRoute,
  studyRoute,
  queueRoute,
  artifactsRoute,
  workersRoute,
]);

export function createAppRouter() {
  return createRouter({
    routeTree,
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultErrorComponent: BrokenPage,
    defaultPendingComponent: PageSkeleton,
    scrollRestoration: true,
    // The page scrolls inside of the shell, beside the navigation.
    scrollToTopSelectors: ["#content"],
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
