import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { client, unwrap } from "../api/client";
import type { RunsQuery } from "../api/queries";
import { Button } from "../components/ui";
import { integer } from "../lib/format";
import { type Field, isMetric } from "./fields";
import {
  type Comparison,
  comparisonsOf,
  comparisonWords,
  readFilter,
  valueWords,
  writeFilter,
} from "./filters";

interface FilterEditorProps {
  field: Field;
  /** The list's filters as they are. */
  filters: readonly string[];
  wanted: RunsQuery;
  onChange: (filters: string[]) => void;
  onDone: () => void;
}

/** Values to tick, as the runs have them, and a comparison to write. */
export function FilterEditor(props: FilterEditorProps) {
  const { field } = props;
  const listed = !isMetric(field.id) && !["number", "time", "span"].includes(field.kind);
  return (
    <div className="flex flex-col gap-2">
      <h3 className="px-1 font-medium text-sm">{field.label}</h3>
      {(listed || field.id === "seed") && <Values {...props} />}
      {!["choice", "flag", "mechanism"].includes(field.kind) && <Comparing {...props} />}
    </div>
  );
}

function Values({ field, filters, wanted, onChange }: FilterEditorProps) {
  const mine = filters.filter((one) => one.startsWith(`${field.id}=`));
  const others = filters.filter((one) => !mine.includes(one));
  const query = { ...wanted, filter: others, by: field.id };
  const { data } = useQuery({
    queryKey: ["runs", "groups", field.id, "values", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/runs/groups", { params: { query }, signal })),
  });
  const toggle = (written: string) =>
    onChange(
      filters.includes(written) ? filters.filter((one) => one !== written) : [...filters, written],
    );
  return (
    <fieldset className="max-h-56 overflow-y-auto">
      <legend className="sr-only">Values of {field.label}</legend>
      {data?.items.map((group) => {
        const value = field.kind === "named" ? group.label : group.value;
        const written = `${field.id}=${value}`;
        return (
          <label
            key={group.value}
            className="flex min-h-7 cursor-pointer items-center gap-2 rounded-control px-1 text-sm hover:bg-hover"
          >
            <input
              type="checkbox"
              className="accent-(--accent)"
              checked={filters.includes(written)}
              onChange={() => toggle(written)}
            />
            <span className="min-w-0 flex-1 truncate" title={group.label}>
              {valueWords(field.id, value)}
            </span>
            <span className="text-faint text-xs tabular-nums">{integer(group.count)}</span>
          </label>
        );
      })}
    </fieldset>
  );
}

const HINTS: Partial<Record<Field["kind"], string>> = {
  time: "7d, 12h or 2026-03-31",
  span: "90s, 5m or 2h",
  number: "Number, such as 0.5",
};

function Comparing({ field, filters, onChange, onDone }: FilterEditorProps) {
  const possible = comparisonsOf(field);
  const [comparison, setComparison] = useState<Comparison>(possible[0] ?? "=");
  const [value, setValue] = useState("");
  const written = writeFilter({ field: field.id, comparison, value: value.trim() });
  const sound = value.trim() !== "" && readFilter(written)?.field === field.id;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!sound) return;
    onChange([...filters.filter((one) => one !== written), written]);
    onDone();
  };
  return (
    <form onSubmit={submit} className="flex gap-1.5 border-line border-t pt-2">
      <select
        aria-label="Comparison"
        value={comparison}
        onChange={(event) => setComparison(event.target.value as Comparison)}
        className="control w-24 px-1! text-sm"
      >
        {possible.map((one) => (
          <option key={one} value={one}>
            {comparisonWords(field, one)}
          </option>
        ))}
      </select>
      <input
        aria-label="Value"
        value={value}
        placeholder={HINTS[field.kind] ?? "Text"}
        onChange={(event) => setValue(event.target.value)}
        className="control min-w-0 flex-1 text-sm"
      />
      <Button type="submit" disabled={!sound}>
        Add
      </Button>
    </form>
  );
}
