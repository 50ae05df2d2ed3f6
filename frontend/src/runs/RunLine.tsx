import { flexRender, type Row } from "@tanstack/react-table";
import type { RunSummary } from "../api/types";
import { Skeleton } from "../components/ui";
import { RowActions } from "./RowActions";

export const CELL = "h-[38px] border-line border-b px-2.5";
/** What stays in sight covers the line's outline, and so shows it by itself. */
export const CURSOR =
  "group-focus-visible:shadow-[inset_0_2px_var(--accent),inset_0_-2px_var(--accent)]";
const STUCK = `sticky z-[1] bg-surface group-hover:bg-hover group-aria-selected:bg-accent-soft group-focus-visible:bg-hover ${CURSOR}`;

export interface Place {
  index: number;
  focusable: boolean;
  onFocus: () => void;
}

interface RunLineProps extends Place {
  row: Row<RunSummary>;
  /** Under a group's head: 2. */
  level: 2 | undefined;
  selected: boolean;
  onToggle: (extend: boolean) => void;
  onOpen: () => void;
}

export function RunLine({
  row,
  level,
  selected,
  index,
  focusable,
  onFocus,
  onToggle,
  onOpen,
}: RunLineProps) {
  return (
    <tr
      data-testid={`run-row-${row.id}`}
      data-line={index}
      aria-rowindex={index + 2}
      aria-level={level}
      aria-selected={selected}
      tabIndex={focusable ? 0 : -1}
      onFocus={(event) => {
        if (event.target === event.currentTarget) onFocus();
      }}
      onClick={(event) => {
        const inner = (event.target as Element).closest("a,button,dialog,label,input");
        if (inner || window.getSelection()?.toString()) return;
        if (event.shiftKey || event.ctrlKey || event.metaKey) onToggle(event.shiftKey);
        else onOpen();
      }}
      className="group cursor-pointer outline-offset-[-2px] hover:bg-hover focus-visible:bg-hover aria-selected:bg-accent-soft"
    >
      <td className={`${CELL} ${STUCK} left-0 pr-0! pl-4!`}>
        <label className="-m-2.5 flex p-2.5">
          <input
            type="checkbox"
            tabIndex={-1}
            aria-label={`Select ${row.original.name}`}
            checked={selected}
            // The click, as only it tells of the shift key.
            onClick={(event) => onToggle(event.shiftKey)}
            onChange={() => undefined}
            className="accent-(--accent)"
          />
        </label>
      </td>
      {row.getVisibleCells().map((one, i) => (
        <td
          key={one.id}
          className={`${CELL} overflow-hidden whitespace-nowrap tabular-nums ${i === 0 ? `${STUCK} left-10` : ""} ${one.column.columnDef.meta?.field.numeric ? "text-right" : ""}`}
        >
          {flexRender(one.column.columnDef.cell, one.getContext())}
        </td>
      ))}
      <td className={`${CELL} pr-4!`}>
        <RowActions run={row.original} />
      </td>
    </tr>
  );
}

export function SkeletonRow({ columns, index }: { columns: number; index: number }) {
  return (
    <tr data-line={index} aria-rowindex={index + 2} aria-busy="true" tabIndex={-1}>
      {Array.from({ length: columns + 2 }, (_, i) => (
        <td key={i} className={CELL}>
          {i > 0 && i <= columns && <Skeleton className="h-3 w-3/4" />}
        </td>
      ))}
    </tr>
  );
}
