import { Download, ListFilter, X } from "lucide-react";
import type { RunsQuery } from "../api/queries";
import type { RunStatus } from "../api/types";
import { NameSearch } from "../components/NameSearch";
import { Popover } from "../components/Popover";
import { StatusChip, statusLabel } from "../components/StatusChip";
import { Button, buttonClass } from "../components/ui";
import { plural } from "../lib/format";
import { joinList } from "../lib/search";
import { type RunsSearch, STATUSES } from "../searches";
import { ColumnsMenu } from "./ColumnsMenu";
import { FilterBar } from "./FilterBar";
import { type Field, fieldOf, GROUPS } from "./fields";
import { filtersOf, isNarrowed } from "./view";

interface ToolbarProps {
  search: RunsSearch;
  onChange: (change: Partial<RunsSearch>) => void;
  fields: readonly Field[];
  onColumns: (columns: readonly string[]) => void;
  wanted: RunsQuery;
  editing: string | null;
  onEdit: (field: string | null) => void;
  total: number | undefined;
  views: React.ReactNode;
}

export function RunsToolbar(props: ToolbarProps) {
  const { search, onChange, fields, total } = props;
  return (
    <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2 md:px-6">
      {props.views}
      <NameSearch value={search.q ?? ""} onChange={(q) => onChange({ q: q || undefined })} />
      <StatusFilter
        value={(search.status?.split(",") ?? []) as RunStatus[]}
        onChange={(kept) => onChange({ status: kept.join(",") || undefined })}
      />
      <FilterBar
        filters={filtersOf(search)}
        wanted={props.wanted}
        onChange={(filters) => onChange({ filter: joinList(filters) })}
        editing={props.editing}
        onEdit={props.onEdit}
      />
      {isNarrowed(search) && (
        <Button
          variant="ghost"
          onClick={() => onChange({ q: undefined, status: undefined, filter: undefined })}
        >
          <X aria-hidden="true" className="size-3.5" />
          Clear
        </Button>
      )}
      <span className="ml-auto flex flex-wrap items-center gap-2">
        <span
          className="text-faint text-sm tabular-nums"
          aria-live="polite"
          data-testid="runs-total"
        >
          {total === undefined ? "" : plural(total, "run")}
        </span>
        <GroupChoice
          value={search.group}
          onChange={(group) => onChange({ group, open: undefined })}
        />
        <ColumnsMenu fields={fields} onChange={props.onColumns} />
        <a
          href={csvAddress(props.wanted, search.sort, fields)}
          download
          title="The whole list, all its pages, with these columns"
          className={buttonClass()}
        >
          <Download aria-hidden="true" className="size-3.5 text-muted" />
          CSV
        </a>
      </span>
    </div>
  );
}

function csvAddress(wanted: RunsQuery, sort: string | undefined, fields: readonly Field[]): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(wanted)) {
    for (const one of [value].flat()) params.append(key, String(one));
  }
  if (sort) params.set("sort", sort);
  params.append("column", "id");
  for (const field of fields) params.append("column", field.id);
  return `/api/runs/csv?${params}`;
}

interface GroupChoiceProps {
  value: string | undefined;
  onChange: (group: string | undefined) => void;
}

function GroupChoice({ value, onChange }: GroupChoiceProps) {
  const listed = value && !GROUPS.some((one) => one === value) ? [...GROUPS, value] : GROUPS;
  return (
    <select
      aria-label="Group by"
      value={value ?? ""}
      onChange={(event) => onChange(event.target.value || undefined)}
      className="control max-w-40"
    >
      <option value="">No groups</option>
      {listed.map((id) => (
        <option key={id} value={id}>
          By {fieldOf(id)?.label.toLowerCase() ?? id}
        </option>
      ))}
    </select>
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
