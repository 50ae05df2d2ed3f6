import { ListFilter, X } from "lucide-react";
import { useState } from "react";
import type { RunsQuery } from "../api/queries";
import { Popover } from "../components/Popover";
import { Button } from "../components/ui";
import { FieldPicker } from "./FieldPicker";
import { FilterEditor } from "./FilterEditor";
import { type Field, fieldOf } from "./fields";
import { chips } from "./filters";

interface FilterBarProps {
  filters: readonly string[];
  wanted: RunsQuery;
  onChange: (filters: string[]) => void;
  /** The field whose filter is open; `""`: one is to be chosen; null: none is open. */
  editing: string | null;
  onEdit: (field: string | null) => void;
}

/** The filters as chips, and where one is written. */
export function FilterBar({ filters, wanted, onChange, editing, onEdit }: FilterBarProps) {
  const [chosen, setChosen] = useState<Field | null>(null);
  const field = editing ? (chosen?.id === editing ? chosen : fieldOf(editing)) : undefined;
  return (
    <>
      <Popover
        className="top-full left-0 mt-1 w-80 p-2"
        open={editing !== null}
        onOpen={(open) => onEdit(open ? "" : null)}
        button={({ open, toggle }) => (
          <Button aria-expanded={open} onClick={toggle}>
            <ListFilter aria-hidden="true" className="size-3.5 text-muted" />
            Filter
          </Button>
        )}
      >
        {(close) =>
          field ? (
            <FilterEditor
              key={field.id}
              field={field}
              filters={filters}
              wanted={wanted}
              onChange={onChange}
              onDone={close}
            />
          ) : (
            <FieldPicker
              label="Filter by"
              onPick={(picked) => {
                setChosen(picked);
                onEdit(picked.id);
              }}
            />
          )
        }
      </Popover>
      {chips(filters).map((chip) => (
        <span
          key={chip.key}
          data-testid="filter-chip"
          className="inline-flex h-7 max-w-80 items-center rounded-control border border-line-strong bg-accent-soft text-accent-text text-sm"
        >
          <button
            type="button"
            title="Change this filter"
            onClick={() => onEdit(chip.field)}
            className="truncate py-1 pl-2"
          >
            {chip.words}
          </button>
          <button
            type="button"
            aria-label={`Remove the filter: ${chip.words}`}
            onClick={() => onChange(filters.filter((one) => !chip.written.includes(one)))}
            className="flex size-6 shrink-0 items-center justify-center hover:text-ink"
          >
            <X aria-hidden="true" className="size-3.5" />
          </button>
        </span>
      ))}
    </>
  );
}
