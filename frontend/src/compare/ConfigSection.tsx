import { useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useMemo } from "react";
import { configSchemaQuery } from "../api/queries";
import type { ComparedColumn, ConfigRow, RunComparison } from "../api/types";
import { Button, Switch } from "../components/ui";
import { plural, setting, UNKNOWN } from "../lib/format";
import { type FieldModel, formModel, type SectionModel } from "../newrun/schema";
import type { CompareSearch } from "../searches";
import { ColumnHeads } from "./ColumnHeads";
import type { OnSearch } from "./ComparePage";
import { csv, save } from "./figures";
import { Section } from "./Section";

interface ConfigSectionProps {
  comparison: RunComparison;
  search: CompareSearch;
  onSearch: OnSearch;
}

/** What the runs were made with: the differences, or everything. */
export function ConfigSection({ comparison, search, onSearch }: ConfigSectionProps) {
  const { columns, config } = comparison;
  const all = search.config === "all";
  const rows = useMemo(() => (all ? config : config.filter((row) => row.differs)), [config, all]);
  const schema = useQuery(configSchemaQuery);
  const fields = useMemo(() => fieldsOf(schema.data ? formModel(schema.data) : []), [schema.data]);
  return (
    <Section
      title="Configuration"
      note={`${plural(config.filter((row) => row.differs).length, "field")} of ${config.length} differ: of the configuration, and of what the runs found on their workers.`}
      tools={
        <>
          <Switch checked={all} onChange={(on) => onSearch({ config: on ? "all" : undefined })}>
            All fields
          </Switch>
          <Button small onClick={() => save("configuration.csv", csv(configTable(columns, rows)))}>
            <Download aria-hidden="true" className="size-3.5" />
            CSV
          </Button>
        </>
      }
    >
      {rows.length === 0 ? (
        <p className="panel px-3 py-6 text-center text-muted">
          {columns.length === 1
            ? "Add a run to see what differs."
            : "Nothing differs: the runs were made with the same settings on like workers."}
        </p>
      ) : (
        <div tabIndex={0} className="panel overflow-x-auto">
          <table aria-label="Configuration" className="w-full border-collapse text-left">
            <thead>
              <ColumnHeads first="Field" columns={columns} />
            </thead>
            <tbody>
              {rows.map((row) => (
                <Row
                  key={`${row.source} ${row.path}`}
                  row={row}
                  columns={columns}
                  field={row.source === "config" ? fields.get(row.path) : undefined}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Section>
  );
}

function fieldsOf(sections: readonly SectionModel[]): Map<string, FieldModel> {
  const groups = sections.flatMap((section) => [section, ...section.groups]);
  const fields = groups.flatMap(({ fields, toggle }) => (toggle ? [toggle, ...fields] : fields));
  return new Map(fields.map((field) => [field.path, field]));
}

interface RowProps {
  row: ConfigRow;
  columns: readonly ComparedColumn[];
  field: FieldModel | undefined;
}

function Row({ row, columns, field }: RowProps) {
  const [base] = row.values;
  return (
    <tr className="group border-line border-b align-top last:border-b-0 hover:bg-hover">
      <th
        scope="row"
        title={field?.description}
        className="sticky left-0 max-w-72 break-words bg-surface px-3 py-1.5 font-normal group-hover:bg-hover"
      >
        {field && (
          <span className="block">
            {field.title}
            {field.unit && <span className="text-faint text-sm"> {field.unit}</span>}
          </span>
        )}
        <span className={`font-mono ${field ? "text-faint text-xs" : "text-sm"}`}>{row.path}</span>
        {row.source === "environment" && <span className="ml-2 text-faint text-xs">found</span>}
      </th>
      {columns.map((column, i) => {
        const there = row.present[i] ?? false;
        const other =
          there !== row.present[0] || JSON.stringify(row.values[i]) !== JSON.stringify(base);
        return (
          <td key={column.key} className="max-w-72 px-3 py-1.5 text-right">
            <span
              className={`whitespace-pre-wrap break-words ${other ? "rounded-[3px] bg-accent-soft px-1 font-medium" : ""}`}
            >
              {there ? show(row.values[i]) : UNKNOWN}
            </span>
            {!there && <span className="sr-only">does not have this field</span>}
          </td>
        );
      })}
    </tr>
  );
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(show).join(", ") || UNKNOWN;
  if (typeof value === "number") return setting(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The table as text. */
export function configTable(columns: readonly ComparedColumn[], rows: readonly ConfigRow[]) {
  return [
    ["source", "field", ...columns.map((column) => column.label)],
    ...rows.map((row) => [
      row.source,
      row.path,
      ...row.values.map((value, i) => (row.present[i] ? plain(value) : null)),
    ]),
  ];
}

const plain = (value: unknown): string | number | boolean =>
  typeof value === "number" || typeof value === "boolean" || typeof value === "string"
    ? value
    : JSON.stringify(value);
