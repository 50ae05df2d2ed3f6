import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useCallback, useMemo, useState } from "react";
import { projectsQuery, type RunsQuery } from "../api/queries";
import { refusal } from "../api/steering";
import { Empty, Failure, Notice } from "../components/states";
import { Button, buttonClass } from "../components/ui";
import { useTitle } from "../lib/hooks";
import type { RunsSearch } from "../searches";
import { Page } from "../shell/Page";
import { moved } from "./ColumnsMenu";
import { type Field, fieldOf } from "./fields";
import { Grid } from "./Grid";
import { pagesOf } from "./layout";
import { NoRuns } from "./NoRuns";
import { RunsToolbar } from "./RunsToolbar";
import { SelectionBar } from "./SelectionBar";
import { freshened } from "./selection";
import { useGrid } from "./useGrid";
import { useRows, useSegments } from "./useRuns";
import { ViewsMenu } from "./ViewsMenu";
import {
  columnsOf,
  DEFAULT_SORT,
  isNarrowed,
  openGroups,
  rememberColumns,
  savedSearch,
  shownOf,
  wantedOf,
  writeOpen,
} from "./view";
import type { View } from "./views";

const NO_LINES = { from: 0, to: 30 };

export function RunsPage({ projectId }: { projectId: string | undefined }) {
  const search: RunsSearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const projects = useQuery(projectsQuery);
  const project = projects.data?.items.find((item) => item.id === projectId);
  useTitle(project ? `${project.name}: runs` : "Runs");

  const setSearch = (change: Partial<RunsSearch>) =>
    void navigate({ to: ".", search: { ...search, ...change }, replace: true });
  const columns = columnsOf(search);
  const columnsKey = columns.join("\n");
  const fields = useMemo(
    () =>
      columnsKey
        .split("\n")
        .flatMap((id): Field[] => [fieldOf(id)].filter((one) => one !== undefined)),
    [columnsKey],
  );
  const setColumns = (next: readonly string[]) => setSearch({ columns: rememberColumns(next) });

  const wanted = wantedOf(search, projectId);
  const sort = search.sort ?? DEFAULT_SORT;
  const query: RunsQuery = { ...wanted, ...shownOf(columns), sort };
  const openText = search.open;
  const open = useMemo(() => openGroups({ open: openText } as RunsSearch), [openText]);
  const { segments, runs: total, error, retry } = useSegments(query, search.group, open);
  const [range, setRange] = useState(NO_LINES);
  const onRange = useCallback((from: number, to: number) => setRange({ from, to }), []);
  const pages = segments ? pagesOf(segments, range.from, range.to) : [];
  const rows = useRows(query, pages);
  const toggleGroup = (value: string) => {
    const next = new Set(open);
    if (!next.delete(value)) next.add(value);
    setSearch({ open: writeOpen(next) });
  };
  const grid = useGrid({ query, segments, rowAt: rows.at, onOpenGroup: toggleGroup });
  const selection = freshened(grid.selection, rows.runs);
  const [editing, setEditing] = useState<string | null>(null);

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
  const showView = (view: View | null) =>
    void navigate({ to: ".", search: view ? { ...view.search, view: view.id } : {} });
  const narrowed = isNarrowed(search);

  const body = () => {
    const broken = error ?? rows.error;
    if (broken && !segments) {
      return (
        <Failure error={broken} onRetry={narrowed ? () => showView(null) : () => void retry()} />
      );
    }
    if (total === 0) {
      return narrowed ? (
        <Empty
          title="No run matches"
          action={
            <Button
              onClick={() => setSearch({ q: undefined, status: undefined, filter: undefined })}
            >
              Show all runs
            </Button>
          }
        >
          No run passes all of these filters.
        </Empty>
      ) : (
        <NoRuns action={newRun} />
      );
    }
    return (
      <Grid
        fields={fields}
        segments={segments}
        rowAt={rows.at}
        stale={rows.stale}
        onRange={onRange}
        head={{
          sort,
          group: search.group,
          onSort: (next) => setSearch({ sort: next === DEFAULT_SORT ? undefined : next }),
          onGroup: (group) => setSearch({ group, open: undefined }),
          onFilter: setEditing,
          onMove: (id, by) => {
            const from = columns.indexOf(id);
            setColumns(moved(columns, from, from + by));
          },
          onPlace: (id, before) => {
            const from = columns.indexOf(id);
            if (from >= 0) setColumns(moved(columns, from, columns.indexOf(before)));
          },
          onHide: (id) => setColumns(columns.filter((one) => one !== id)),
        }}
        selection={selection}
        total={total ?? 0}
        onToggleAll={() => (selection.size ? grid.setSelection(new Map()) : grid.selectAll())}
        onToggle={grid.toggle}
        cursor={grid.cursor}
        moves={grid.moves}
        onCursor={grid.setCursor}
        onKey={grid.onKey}
        onOpenGroup={toggleGroup}
      />
    );
  };

  const crumbs = project
    ? [{ label: "Runs", link: { to: "/" } as const }, { label: project.name }]
    : [{ label: "Runs" }];
  const trouble = refusal(grid.error);
  return (
    <Page crumbs={crumbs} actions={newRun} filled>
      {(narrowed || (total ?? 1) > 0) && (
        <RunsToolbar
          search={search}
          onChange={setSearch}
          fields={fields}
          onColumns={setColumns}
          wanted={wanted}
          editing={editing}
          onEdit={setEditing}
          total={total}
          views={
            <ViewsMenu
              projectId={projectId}
              current={savedSearch(search, columns)}
              viewId={search.view}
              onShow={showView}
            />
          }
        />
      )}
      {trouble && (
        <Notice tone="bad" title={trouble}>
          <Button small onClick={grid.clearError}>
            Understood
          </Button>
        </Notice>
      )}
      {selection.size > 0 && (
        <SelectionBar
          selection={selection}
          total={total ?? 0}
          onAll={grid.selectAll}
          onSelection={grid.setSelection}
        />
      )}
      {body()}
    </Page>
  );
}
