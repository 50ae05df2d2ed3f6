import { ArrowDown, ArrowUp, Columns3, X } from "lucide-react";
import { Popover } from "../components/Popover";
import { Button, IconButton } from "../components/ui";
import { FieldPicker } from "./FieldPicker";
import { DEFAULT_COLUMNS, type Field, isMetric, metricField, metricOf } from "./fields";

interface ColumnsMenuProps {
  fields: readonly Field[];
  onChange: (columns: readonly string[]) => void;
}

export function moved<T>(items: readonly T[], from: number, to: number): T[] {
  const next = [...items];
  const [item] = next.splice(from, 1);
  if (item !== undefined) next.splice(Math.max(0, to), 0, item);
  return next;
}

/** Which columns there are and in which order; metrics by their last, lowest or highest value. */
export function ColumnsMenu({ fields, onChange }: ColumnsMenuProps) {
  const ids = fields.map((field) => field.id);
  return (
    <Popover
      className="top-full right-0 mt-1 w-80 p-2"
      button={({ open, toggle }) => (
        <Button aria-expanded={open} onClick={toggle}>
          <Columns3 aria-hidden="true" className="size-3.5 text-muted" />
          Columns
        </Button>
      )}
    >
      {() => (
        <>
          <ul aria-label="Columns in their order" className="mb-2 max-h-60 overflow-y-auto">
            {fields.map((field, i) => (
              <li key={field.id} className="flex h-8 items-center gap-0.5 pl-1 text-sm">
                <span className="min-w-0 flex-1 truncate" title={field.label}>
                  {isMetric(field.id) ? metricOf(field.id).path : field.label}
                </span>
                {isMetric(field.id) && (
                  <Which
                    field={field}
                    onChange={(id) => onChange(ids.map((one) => (one === field.id ? id : one)))}
                  />
                )}
                <IconButton
                  label={`Move ${field.label} up`}
                  disabled={i === 0}
                  onClick={() => onChange(moved(ids, i, i - 1))}
                >
                  <ArrowUp className="size-3.5" />
                </IconButton>
                <IconButton
                  label={`Move ${field.label} down`}
                  disabled={i === ids.length - 1}
                  onClick={() => onChange(moved(ids, i, i + 1))}
                >
                  <ArrowDown className="size-3.5" />
                </IconButton>
                <IconButton
                  label={`Hide ${field.label}`}
                  disabled={ids.length === 1}
                  onClick={() => onChange(ids.filter((one) => one !== field.id))}
                >
                  <X className="size-3.5" />
                </IconButton>
              </li>
            ))}
          </ul>
          <FieldPicker
            label="Add a column"
            without={ids}
            onPick={(field) => onChange([...ids, field.id])}
          />
          <div className="mt-2 flex justify-end border-line border-t pt-2">
            <Button small variant="ghost" onClick={() => onChange([...DEFAULT_COLUMNS])}>
              The usual columns
            </Button>
          </div>
        </>
      )}
    </Popover>
  );
}

function Which({ field, onChange }: { field: Field; onChange: (id: string) => void }) {
  const { path, which } = metricOf(field.id);
  return (
    <select
      aria-label={`Which value of ${path}`}
      value={which}
      onChange={(event) => onChange(metricField(path, event.target.value as typeof which).id)}
      className="h-6 rounded border border-line-strong bg-surface text-xs"
    >
      <option value="last">last</option>
      <option value="min">min</option>
      <option value="max">max</option>
    </select>
  );
}
