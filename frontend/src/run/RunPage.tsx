import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { asApiError } from "../api/client";
import { projectsQuery, runQuery } from "../api/queries";
import { isActive, type RunDetail } from "../api/types";
import { ArtifactsTab } from "../artifacts/ArtifactsTab";
import { ChartsTab } from "../charts/ChartsTab";
import { Empty, Failure } from "../components/states";
import { EvaluationsTab } from "../evaluations/EvaluationsTab";
import { useKeys, useTitle } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { useRunLive } from "../live/useRun";
import { LogsTab } from "../logs/LogsTab";
import { RetentionTab } from "../retention/RetentionTab";
import { type RunSearch, TABS, type Tab } from "../searches";
import { type Crumb, Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { TrajectoriesTab } from "../trajectories/TrajectoriesTab";
import { ConfigTab } from "./ConfigTab";
import { RunActions } from "./RunActions";
import { RunHeader } from "./RunHeader";
import { SystemTab } from "./SystemTab";

export function RunPage() {
  const { runId } = useParams({ from: "/runs/$runId" });
  const run = useQuery(runQuery(runId));
  useTitle(run.data?.name ?? "Run");
  if (run.data) return <Known key={runId} run={run.data} />;
  if (!run.error) return <PageSkeleton />;
  const missing = asApiError(run.error).status === 404;
  return (
    <Page crumbs={[{ label: "Runs", link: { to: "/" } }, { label: missing ? "Not found" : "Run" }]}>
      {missing ? (
        <Empty title="There is no such run">
          Nothing here has the id <code className="font-mono text-sm">{runId}</code>.
        </Empty>
      ) : (
        <Failure error={run.error} onRetry={() => void run.refetch()} />
      )}
    </Page>
  );
}

const KEYS = {
  title: "Run",
  keys: [[["1", "–", String(TABS.length)], "The run's tabs, from charts to system"]],
} as const;

function Known({ run }: { run: RunDetail }) {
  const search: RunSearch = useSearch({ from: "/runs/$runId" });
  const navigate = useNavigate({ from: "/runs/$runId" });
  const live = useRunLive(run.id, isActive(run.status));
  const projects = useQuery(projectsQuery);
  const project = projects.data?.items.find((item) => item.id === run.project_id);
  // What only evaluates has no curves to begin with.
  const first: Tab = run.kind === "evaluation" ? "evaluations" : "charts";
  const tab = search.tab ?? first;

  const onSearch = useCallback(
    (change: Partial<RunSearch>, push = false) => {
      void navigate({
        to: ".",
        search: (old) => ({ ...old, ...change }),
        replace: !push,
        resetScroll: false,
      });
    },
    [navigate],
  );
  const openTab = (next: Tab) => onSearch({ tab: next === first ? undefined : next }, true);
  useKeys(Object.fromEntries(TABS.map((name, i) => [String(i + 1), () => openTab(name)])));

  useKeyHelp(KEYS);

  const home: Crumb = project
    ? {
        label: project.name,
        link: { to: "/projects/$projectId/runs", params: { projectId: project.id } },
      }
    : { label: "Runs", link: { to: "/" } };
  const props = { run, live, search, onSearch };
  return (
    <Page crumbs={[home, { label: run.name }]} actions={<RunActions run={run} />} headed={false}>
      <RunHeader run={run} live={live} />
      <Tabs current={tab} onOpen={openTab} />
      <div
        role="tabpanel"
        id={`panel-${tab}`}
        aria-labelledby={`tab-${tab}`}
        tabIndex={0}
        className="flex min-h-0 flex-1 flex-col outline-none"
      >
        {tab === "charts" && <ChartsTab {...props} />}
        {tab === "trajectories" && <TrajectoriesTab {...props} />}
        {tab === "evaluations" && <EvaluationsTab {...props} />}
        {tab === "retention" && <RetentionTab {...props} />}
        {tab === "artifacts" && <ArtifactsTab run={run} />}
        {tab === "logs" && <LogsTab {...props} />}
        {tab === "config" && <ConfigTab run={run} />}
        {tab === "system" && <SystemTab run={run} />}
      </div>
    </Page>
  );
}

const LABELS: Record<Tab, string> = {
  charts: "Charts",
  trajectories: "Trajectories",
  evaluations: "Evaluations",
  retention: "Retention",
  artifacts: "Artifacts",
  logs: "Logs",
  config: "Config",
  system: "System",
};

function Tabs({ current, onOpen }: { current: Tab; onOpen: (tab: Tab) => void }) {
  const onKeyDown = (event: React.KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = TABS[(TABS.indexOf(current) + by + TABS.length) % TABS.length] ?? "charts";
    onOpen(next);
    document.getElementById(`tab-${next}`)?.focus();
  };
  return (
    <div
      role="tablist"
      aria-label="Parts of the run"
      onKeyDown={onKeyDown}
      className="flex gap-5 overflow-x-auto border-line border-b bg-surface px-4 md:px-6"
    >
      {TABS.map((tab) => (
        <button
          key={tab}
          type="button"
          role="tab"
          id={`tab-${tab}`}
          aria-selected={tab === current}
          aria-controls={`panel-${tab}`}
          tabIndex={tab === current ? 0 : -1}
          onClick={() => onOpen(tab)}
          className="-mb-px h-10 whitespace-nowrap border-transparent border-b-2 text-muted transition-colors hover:text-ink focus-visible:outline-offset-[-2px] aria-selected:border-accent aria-selected:font-medium aria-selected:text-ink"
        >
          {LABELS[tab]}
        </button>
      ))}
    </div>
  );
}
