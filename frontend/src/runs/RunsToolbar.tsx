import { ListFilter, Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { RunStatus } from "../api/types";
import { Popover } from "../components/Popover";
import { StatusChip, statusLabel } from "../components/StatusChip";
import { Button } from "../components/ui";
import { plural } from "../lib/format";
import { useDebounced, useKeys } from "../lib/hooks";
import { type RunsSearch, STATUSES } from "../searches";

interface ToolbarProps {
  search: RunsSearch;
  onChange: (change: Partial<RunsSearch>) => void;
  total: number | undefined;
}

export function RunsToolbar({ search, onChange, total }: ToolbarProps) {
  return (
    <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5 md:px-6">
      <NameSearch value={search.q ?? ""} onChange={(q) => onChange({ q: q || undefined })} />
      <StatusFilter
        value={(search.status?.split(",") ?? []) as RunStatus[]}
        onChange={(kept) => onChange({ status: kept.join(",") || undefined })}
      />
      {(search.q || search.status) && (
        <Button variant="ghost" onClick={() => onChange({ q: undefined, status: undefined })}>
          <X aria-hidden="true" className="size-3.5" />
          Clear
        </Button>
      )}
      <span className="ml-auto text-faint text-sm" aria-live="polite">
        {total === undefined ? "" : plural(total, "run")}
      </span>
    </div>
  );
}

interface NameSearchProps {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  placeholder?: string;
}

/** Types freely, tells the page once one pauses; `/` comes here. */
export function NameSearch({ value, onChange, label, placeholder }: NameSearchProps) {
  const [text, setText] = useState(value);
  const settled = useDebounced(text, 250);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useKeys({ "/": () => input.current?.focus() });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a pause in typing reports
  useEffect(() => {
    if (settled === told.current) return;
    told.current = settled;
    onChange(settled);
  }, [settled]);
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  return (
    <div className="relative">
      <Search
        aria-hidden="true"
        className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-faint"
      />
      <input
        ref={input}
        type="search"
        aria-label={label ?? "Search runs by name"}
        placeholder={placeholder ?? "Search by name"}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
        className="control w-56 pl-8!"
      />
    </div>
  );
}

interface StatusFilterProps {
  value: RunStatus[];
  onChange: (value: RunStatus[]) => void;
}

function StatusFilter({ value, onChange }: StatusFilterProps) {
  const words =
    value.length === 0
      ? "State"
      : value.length <= 2
        ? value.map(statusLabel).join(", ")
        : `${value.length} states`;
  const toggle = (status: RunStatus) =>
    onChange(value.includes(status) ? value.filter((item) => item !== status) : [...value, status]);
  return (
    <Popover
      className="top-full left-0 mt-1 w-48 p-1"
      button={({ open, toggle: press }) => (
        <Button aria-expanded={open} onClick={press} className={value.length ? "font-medium" : ""}>
          <ListFilter aria-hidden="true" className="size-3.5 text-muted" />
          {words}
        </Button>
      )}
    >
      {() => (
        <fieldset>
          <legend className="sr-only">Show runs in these states</legend>
          {STATUSES.map((status) => (
            <label
              key={status}
              className="flex h-8 cursor-pointer items-center gap-2.5 rounded-control px-2 hover:bg-hover"
            >
              <input
                type="checkbox"
                className="accent-(--accent)"
                checked={value.includes(status)}
                onChange={() => toggle(status)}
              />
              <StatusChip status={status} />
            </label>
          ))}
        </fieldset>
      )}
    </Popover>
  );
}
