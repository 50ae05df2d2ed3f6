import { useNavigate } from "@tanstack/react-router";
import {
  type Column,
  flexRender,
  getCoreRowModel,
  type RowData,
  type SortingState,
  useReactTable,
} from "@tanstack/react-table";
import { ArrowDown, ArrowUp } from "lucide-react";
import { useMemo } from "react";
import type { Project, RunSummary } from "../api/types";
import { Skeleton } from "../components/ui";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { RUN_SORTS, type RunSort } from "../searches";
import { runColumns } from "./columns";

declare module "@tanstack/react-table" {
  interface ColumnMeta<TData extends RowData, TValue> {
    className?: string;
  }
}

const KEYS = {
  title: "Runs",
  keys: [
    [["/"], "Search by name"],
    [["j", "k"], "Next, previous run"],
    [["Enter"], "Open the run"],
  ],
} as const;

interface RunsTableProps {
  runs: RunSummary[] | undefined;
  sort: RunSort;
  onSort: (sort: RunSort) => void;
  showProject: Project[] | undefined;
}

const NONE: RunSummary[] = [];

export function RunsTable({ runs, sort, onSort, showProject }: RunsTableProps) {
  const navigate = useNavigate();
  const columns = useMemo(() => runColumns(showProject), [showProject]);
  const sorting: SortingState = [{ id: sort.replace("-", ""), desc: sort.startsWith("-") }];
  const table = useReactTable({
    data: runs ?? NONE,
    columns,
    getCoreRowModel: getCoreRowModel(),
    getRowId: (run) => run.id,
    manualSorting: true,
    enableSortingRemoval: false,
    state: { sorting },
    onSortingChange: (update) => {
      const [next] = typeof update === "function" ? update(sorting) : update;
      const wanted = next && `${next.desc ? "-" : ""}${next.id}`;
      const known = RUN_SORTS.find((item) => item === wanted);
      if (known) onSort(known);
    },
  });
  useKeyHelp(KEYS);
  useKeys({ j: () => focusRow(1), k: () => focusRow(-1) });
  const open = (runId: string) => void navigate({ to: "/runs/$runId", params: { runId } });

  return (
    <div className="overflow-x-auto bg-surface">
      <table data-testid="runs-table" className="w-full border-collapse text-left">
        <thead>
          <tr className="border-line border-b">
            {table.getLeafHeaders().map((header) => (
              <th
                key={header.id}
                scope="col"
                aria-sort={ariaSort(header.column)}
                className={`h-9 whitespace-nowrap px-2.5 font-normal first:pl-4 last:pr-4 md:last:pr-6 md:first:pl-6 ${header.column.columnDef.meta?.className ?? ""}`}
              >
                {header.column.getCanSort() ? (
                  <button
                    type="button"
                    onClick={header.column.getToggleSortingHandler()}
                    className="eyebrow inline-flex items-center gap-1 hover:text-ink"
                  >
                    {flexRender(header.column.columnDef.header, header.getContext())}
                    <SortMark column={header.column} />
                  </button>
                ) : (
                  <span className="eyebrow">
                    {flexRender(header.column.columnDef.header, header.getContext())}
                  </span>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {runs === undefined && <SkeletonRows columns={columns.length} />}
          {table.getRowModel().rows.map((row) => (
            <tr
              key={row.id}
              data-testid={`run-row-${row.id}`}
              onClick={(event) => {
                const inner = (event.target as Element).closest("a,button,dialog");
                if (!inner && !window.getSelection()?.toString()) open(row.id);
              }}
              className="cursor-pointer border-line border-b transition-colors focus-within:bg-hover hover:bg-hover"
            >
              {row.getVisibleCells().map((cell) => (
                <td
                  key={cell.id}
                  className={`h-11 px-2.5 first:pl-4 last:pr-4 md:last:pr-6 md:first:pl-6 ${cell.column.columnDef.meta?.className ?? ""}`}
                >
                  {flexRender(cell.column.columnDef.cell, cell.getContext())}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function focusRow(by: number): void {
  const links = [...document.querySelectorAll<HTMLElement>("[data-run-link]")];
  const at = links.indexOf(document.activeElement as HTMLElement);
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
  next?.focus();
}

function ariaSort(column: Column<RunSummary>): "ascending" | "descending" | undefined {
  const sorted = column.getIsSorted();
  if (!sorted) return undefined;
  return sorted === "asc" ? "ascending" : "descending";
}

function SortMark({ column }: { column: Column<RunSummary> }) {
  const sorted = column.getIsSorted();
  if (!sorted) return null;
  const Icon = sorted === "asc" ? ArrowUp : ArrowDown;
  return <Icon aria-hidden="true" className="size-3" />;
}

function SkeletonRows({ columns }: { columns: number }) {
  return Array.from({ length: 8 }, (_, row) => (
    <tr key={row} className="border-line border-b">
      {Array.from({ length: columns }, (_, column) => (
        <td key={column} className="h-11 px-2.5 first:pl-4 md:first:pl-6">
          <Skeleton className="h-3 w-3/4" />
        </td>
      ))}
    </tr>
  ));
}
