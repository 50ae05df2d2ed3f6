import { useNavigate } from "@tanstack/react-router";
import { type ColumnDef, flexRender, getCoreRowModel, useReactTable } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import type { RunSummary } from "../api/types";
import { cell } from "./cells";
import { type Field, headLabel } from "./fields";
import { GroupRow } from "./GroupRow";
import { type HeadActions, HeadCell } from "./HeadCell";
import { type Line, lineAt, lineCount, type Segment } from "./layout";
import { RunLine, SkeletonRow } from "./RunLine";
import type { Selection } from "./selection";

export const ROW_HEIGHT = 38;
const CHECK_WIDTH = 40;
const ACTIONS_WIDTH = 72;
const SKELETON_LINES = 12;

interface GridProps {
  fields: readonly Field[];
  segments: readonly Segment[] | undefined;
  rowAt: (line: Line & { kind: "run" }) => RunSummary | undefined;
  stale: boolean;
  onRange: (from: number, to: number) => void;
  head: HeadActions;
  selection: Selection;
  /** Runs of the whole list. */
  total: number;
  onToggleAll: () => void;
  onToggle: (index: number, extend: boolean) => void;
  cursor: number;
  /** Counts the moves of the cursor by keys. */
  moves: number;
  onCursor: (index: number) => void;
  onKey: (event: React.KeyboardEvent, page: number) => void;
  onOpenGroup: (value: string) => void;
}

/** The lines that are on screen, of however many there are. */
export function Grid(props: GridProps) {
  const { fields, segments, rowAt, selection, total, cursor } = props;
  const navigate = useNavigate();
  const box = useRef<HTMLDivElement>(null);
  const count = segments ? lineCount(segments) : SKELETON_LINES;
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
    scrollPaddingStart: ROW_HEIGHT,
  });
  const items = virtual.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;
  const { onRange } = props;
  useEffect(() => onRange(from, to), [onRange, from, to]);

  const lines = items.map((item) => (segments ? lineAt(segments, item.index) : null));
  const shown = lines.flatMap((line) => {
    const run = line?.kind === "run" ? rowAt(line) : undefined;
    return run ? [run] : [];
  });
  const columns = useMemo(
    (): ColumnDef<RunSummary>[] =>
      fields.map((field) => ({
        id: field.id,
        header: headLabel(field),
        size: field.width,
        cell: ({ row }) => cell(field.id, row.original),
        meta: { field },
      })),
    [fields],
  );
  const table = useReactTable({
    data: shown,
    columns,
    getRowId: (run) => run.id,
    getCoreRowModel: getCoreRowModel(),
    manualSorting: true,
    // The rows on screen are others each time; what it would reset for that draws the page anew.
    autoResetAll: false,
  });
  const rows = table.getRowModel().rowsById;
  const width = fields.reduce((sum, field) => sum + field.width, CHECK_WIDTH + ACTIONS_WIDTH);

  // The line that keys move to is brought into view, and gets the focus once it is drawn.
  const { moves } = props;
  const followed = useRef({ scrolled: moves, focused: moves });
  const focusable = cursor >= from && cursor <= to ? cursor : from;
  // At once: the next key may come before an effect, which would set the cursor back.
  useLayoutEffect(() => {
    const done = followed.current;
    if (done.scrolled !== moves) virtual.scrollToIndex(cursor, { align: "auto" });
    done.scrolled = moves;
    if (done.focused === moves) return;
    const row = box.current?.querySelector<HTMLElement>(`tr[data-line="${cursor}"]`);
    if (!row) return;
    row.focus({ preventScroll: true });
    // A line that is still to come hands the focus on to the run in its place.
    if (row.getAttribute("aria-busy") !== "true") done.focused = moves;
  });

  const lineOf = (index: number, line: Line | null): ReactNode => {
    const place = { index, focusable: index === focusable, onFocus: () => props.onCursor(index) };
    if (line?.kind === "group") {
      return (
        <GroupRow
          key={`group ${line.group.value}`}
          line={line}
          fields={fields}
          by={props.head.group ?? ""}
          onSelect={() => props.onToggle(index, false)}
          onToggle={() => props.onOpenGroup(line.group.value)}
          {...place}
        />
      );
    }
    const run = line && rowAt(line);
    const row = run && rows[run.id];
    if (!row) return <SkeletonRow key={index} columns={fields.length} index={index} />;
    return (
      <RunLine
        key={line.segment.filter === null ? row.id : `${row.id} ${line.segment.filter}`}
        row={row}
        level={line.segment.filter === null ? undefined : 2}
        selected={selection.has(row.id)}
        onToggle={(extend) => props.onToggle(index, extend)}
        onOpen={() => void navigate({ to: "/runs/$runId", params: { runId: row.id } })}
        {...place}
      />
    );
  };
  const above = items[0]?.start ?? 0;
  const below = virtual.getTotalSize() - (items.at(-1)?.end ?? 0);
  return (
    <div ref={box} className="min-h-0 flex-1 overflow-auto bg-surface" data-testid="runs-scroll">
      {/* biome-ignore lint/a11y/useAriaPropsSupportedByRole: keys walk its rows, so it is a grid */}
      <table
        role={props.head.group === undefined ? "grid" : "treegrid"}
        aria-label="Runs"
        aria-rowcount={count + 1}
        aria-multiselectable="true"
        aria-busy={!segments || props.stale}
        data-testid="runs-table"
        style={{ minWidth: width }}
        onKeyDown={(event) => props.onKey(event, Math.max(1, to - from - 16))}
        className={`w-full table-fixed border-separate border-spacing-0 text-left ${props.stale ? "opacity-60" : ""}`}
      >
        <colgroup>
          <col style={{ width: CHECK_WIDTH }} />
          {fields.map((field, i) => (
            <col key={field.id} style={i === 0 ? undefined : { width: field.width }} />
          ))}
          <col style={{ width: ACTIONS_WIDTH }} />
        </colgroup>
        <thead className="sticky top-0 z-10">
          <tr aria-rowindex={1}>
            <th scope="col" className="sticky left-0 z-20 h-9 border-line border-b bg-surface pl-4">
              <input
                type="checkbox"
                aria-label="Select all runs of the list"
                checked={selection.size > 0}
                ref={(input) => {
                  if (input) input.indeterminate = selection.size > 0 && selection.size < total;
                }}
                onChange={props.onToggleAll}
                className="block accent-(--accent)"
              />
            </th>
            {table.getLeafHeaders().map((header, i) => (
              <HeadCell
                key={header.id}
                field={fields[i] as Field}
                first={i === 0}
                last={i === fields.length - 1}
                actions={props.head}
              >
                {flexRender(header.column.columnDef.header, header.getContext())}
              </HeadCell>
            ))}
            <th scope="col" className="border-line border-b bg-surface">
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {above > 0 && <Gap height={above} />}
          {items.map((item, i) => lineOf(item.index, lines[i] ?? null))}
          {below > 0 && <Gap height={below} />}
        </tbody>
      </table>
    </div>
  );
}

const Gap = ({ height }: { height: number }) => (
  <tr style={{ height }}>
    <td />
  </tr>
);
