import { useInfiniteQuery } from "@tanstack/react-query";
import { ArrowDownToLine, Download } from "lucide-react";
import { useMemo, useState } from "react";
import { fetchLogs } from "../api/queries";
import { isActive, type LogLevel, type RunDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { NameSearch } from "../components/NameSearch";
import { Empty, Failure } from "../components/states";
import { Button, Skeleton, Switch } from "../components/ui";
import { integer } from "../lib/format";
import { mergeLogs } from "../live/reducer";
import type { Snapshot } from "../live/store";
import { LEVELS, type RunSearch } from "../searches";
import { LogView } from "./LogView";
import { type LogRow, plainRow, rowsOf } from "./rows";

const PAGE = 1000;

interface LogsTabProps {
  run: RunDetail;
  live: Snapshot;
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>) => void;
}

function useLogLines(runId: string, live: Snapshot) {
  const { joinedAt } = live;
  const pages = useInfiniteQuery({
    // Asked for after the stream was joined, so that page and stream overlap and leave no gap.
    queryKey: ["run", runId, "logs", joinedAt],
    queryFn: ({ pageParam, signal }) =>
      fetchLogs(
        runId,
        { limit: PAGE, ...(pageParam === null ? {} : { before: pageParam }) },
        signal,
      ),
    initialPageParam: null as number | null,
    getNextPageParam: (page) =>
      page.items.length === PAGE ? (page.items[0]?.cursor ?? undefined) : undefined,
    enabled: joinedAt !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const fetched = pages.data?.pages;
  const lines = useMemo(
    () => mergeLogs(...(fetched ?? []).map((page) => page.items), live.logs),
    [fetched, live.logs],
  );
  return { pages, lines };
}

export function LogsTab({ run, live, search, onSearch }: LogsTabProps) {
  const { pages, lines } = useLogLines(run.id, live);
  const [follow, setFollow] = useState(isActive(run.status));
  const level: LogLevel = search.level ?? "debug";
  const needle = (search.find ?? "").toLowerCase();
  const rows = useMemo(() => rowsOf(lines), [lines]);
  const shown = useMemo(() => filterRows(rows, level, needle), [rows, level, needle]);
  const text = () => shown.map(plainRow).join("\n");

  if (live.connection === "failed" && live.error) return <Failure error={live.error} />;
  if (pages.error && lines.length === 0) {
    return <Failure error={pages.error} onRetry={() => void pages.refetch()} />;
  }
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex flex-wrap items-center gap-2 px-4 py-2.5 md:px-6">
        <NameSearch
          label="Search the log"
          placeholder="Search the log"
          value={search.find ?? ""}
          onChange={(find) => onSearch({ find: find || undefined })}
        />
        <select
          aria-label="Lowest level"
          value={level}
          onChange={(event) => {
            const next = LEVELS.find((item) => item === event.target.value);
            onSearch({ level: next === "debug" ? undefined : next });
          }}
          className="control"
        >
          <option value="debug">All levels</option>
          <option value="info">Info and above</option>
          <option value="warning">Warnings and errors</option>
          <option value="error">Errors</option>
        </select>
        <span className="text-faint text-sm">
          {shown.length === rows.length
            ? `${integer(rows.length)} lines`
            : `${integer(shown.length)} of ${integer(rows.length)} lines`}
        </span>
        {pages.hasNextPage && (
          <Button small disabled={pages.isFetching} onClick={() => void pages.fetchNextPage()}>
            {pages.isFetchingNextPage ? "Loading…" : "Load earlier lines"}
          </Button>
        )}
        <span className="ml-auto flex items-center gap-2">
          <Switch checked={follow} onChange={setFollow}>
            <ArrowDownToLine aria-hidden="true" className="size-3.5 text-muted" />
            Follow
          </Switch>
          <Copy text={text} label="Copy" />
          <Button small onClick={() => download(`${run.name}.log`, text())}>
            <Download aria-hidden="true" className="size-3.5" />
            Download
          </Button>
        </span>
      </div>
      {pages.isPending && lines.length === 0 ? (
        <Skeleton className="mx-6 h-64" />
      ) : shown.length === 0 ? (
        <Empty title={lines.length ? "No line matches" : "Nothing logged yet"}>
          {lines.length === 0 &&
            isActive(run.status) &&
            "Lines appear here as the run writes them."}
        </Empty>
      ) : (
        <LogView rows={shown} needle={needle} follow={follow} onFollow={setFollow} />
      )}
    </div>
  );
}

function filterRows(rows: readonly LogRow[], level: LogLevel, needle: string): LogRow[] {
  const lowest = LEVELS.indexOf(level);
  return rows.filter(
    (row) =>
      LEVELS.indexOf(row.level) >= lowest &&
      (needle === "" || row.text.toLowerCase().includes(needle)),
  );
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name.replace(/[\\/:*?"<>|]+/g, "-");
  link.click();
  URL.revokeObjectURL(url);
}
