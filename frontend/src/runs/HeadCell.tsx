import { ArrowDown, ArrowUp, ChevronDown } from "lucide-react";
import type { ReactNode } from "react";
import { Popover } from "../components/Popover";
import { type Field, GROUPS, isParam } from "./fields";

export interface HeadActions {
  sort: string;
  group: string | undefined;
  onSort: (sort: string) => void;
  onGroup: (group: string | undefined) => void;
  onFilter: (field: string) => void;
  onMove: (field: string, by: -1 | 1) => void;
  onPlace: (field: string, before: string) => void;
  onHide: (field: string) => void;
}

interface HeadCellProps {
  field: Field;
  first: boolean;
  last: boolean;
  actions: HeadActions;
  children: ReactNode;
}

const MIME = "text/x-unisd-column";

/** A column's head: a press sorts, the arrow beside it has the rest, dragging moves it. */
export function HeadCell({ field, first, last, actions, children }: HeadCellProps) {
  const up = actions.sort === field.id;
  const down = actions.sort === `-${field.id}`;
  const Mark = down ? ArrowDown : ArrowUp;
  return (
    <th
      scope="col"
      aria-sort={up ? "ascending" : down ? "descending" : undefined}
      draggable
      onDragStart={(event) => event.dataTransfer.setData(MIME, field.id)}
      onDragOver={(event) => {
        if (event.dataTransfer.types.includes(MIME)) event.preventDefault();
      }}
      onDrop={(event) => actions.onPlace(event.dataTransfer.getData(MIME), field.id)}
      className={`group/head h-9 whitespace-nowrap border-line border-b bg-surface px-2.5 ${first ? "sticky left-10 z-20" : ""}`}
    >
      <span className={`flex items-center gap-0.5 ${field.numeric ? "flex-row-reverse" : ""}`}>
        <button
          type="button"
          title={`Sort by ${field.label}`}
          onClick={() => actions.onSort(next(field, up, down))}
          className="eyebrow inline-flex min-w-0 items-center gap-1 hover:text-ink"
        >
          <span className="truncate">{children}</span>
          {(up || down) && <Mark aria-hidden="true" className="size-3 shrink-0" />}
        </button>
        <Popover
          className={`top-full mt-1 w-44 p-1 ${last ? "right-0" : "left-0"}`}
          button={({ open, toggle }) => (
            <button
              type="button"
              aria-label={`Column ${field.label}`}
              aria-expanded={open}
              onClick={toggle}
              className="flex size-5 items-center justify-center rounded text-faint opacity-0 hover:bg-hover hover:text-ink focus-visible:opacity-100 group-hover/head:opacity-100 aria-expanded:opacity-100"
            >
              <ChevronDown aria-hidden="true" className="size-3.5" />
            </button>
          )}
        >
          {(close) => (
            <HeadMenu field={field} first={first} last={last} actions={actions} close={close} />
          )}
        </Popover>
      </span>
    </th>
  );
}

/** Numbers and times begin with what is usually looked for: the newest, the longest. */
function next(field: Field, up: boolean, down: boolean): string {
  const begins = field.kind === "time" || field.kind === "span" ? "-" : "";
  if (!up && !down) return begins + field.id;
  return down ? field.id : `-${field.id}`;
}

interface HeadMenuProps extends Omit<HeadCellProps, "children"> {
  close: () => void;
}

function HeadMenu({ field, first, last, actions, close }: HeadMenuProps) {
  const groupable = isParam(field.id) || GROUPS.some((one) => one === field.id);
  const grouped = actions.group === field.id;
  const entries: [string, () => void, boolean][] = [
    ["Sort upwards", () => actions.onSort(field.id), true],
    ["Sort downwards", () => actions.onSort(`-${field.id}`), true],
    ["Filter…", () => actions.onFilter(field.id), true],
    [
      grouped ? "Do not group" : "Group by it",
      () => actions.onGroup(grouped ? undefined : field.id),
      groupable,
    ],
    ["Move left", () => actions.onMove(field.id, -1), !first],
    ["Move right", () => actions.onMove(field.id, 1), !last],
    ["Hide", () => actions.onHide(field.id), !(first && last)],
  ];
  return (
    <>
      {entries.map(
        ([words, act, possible]) =>
          possible && (
            <button
              key={words}
              type="button"
              onClick={() => {
                close();
                act();
              }}
              className="flex h-8 w-full items-center rounded-control px-2.5 text-sm hover:bg-hover"
            >
              {words}
            </button>
          ),
      )}
    </>
  );
}
