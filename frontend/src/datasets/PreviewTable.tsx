import { useQuery } from "@tanstack/react-query";
import { previewQuery } from "../api/datasetQueries";
import type { DatasetRow, DatasetVersion } from "../api/types";
import { Paging } from "../components/Paging";
import { Failure } from "../components/states";
import { Segmented, Skeleton } from "../components/ui";
import { integer } from "../lib/format";
import type { DatasetSearch } from "../searches";

const PAGE_SIZE = 8;
type View = "examples" | "rows";

interface PreviewTableProps {
  version: DatasetVersion;
  search: DatasetSearch;
  onSearch: (change: Partial<DatasetSearch>) => void;
}

/** Some rows, as the file has them or as the mapping makes them. */
export function PreviewTable({ version, search, onSearch }: PreviewTableProps) {
  const page = search.page ?? 1;
  const view: View = search.show ?? "examples";
  const rows = useQuery(
    previewQuery(version, { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE }),
  );
  return (
    <section aria-label="Preview" className="panel overflow-hidden">
      <div className="flex items-center justify-between gap-3 border-line border-b px-4 py-2">
        <h2 className="font-semibold">Preview</h2>
        <Segmented<View>
          label="Show as"
          value={view}
          options={[
            { value: "examples", label: "Examples" },
            { value: "rows", label: "Rows of the file" },
          ]}
          onChange={(next) => onSearch({ show: next === "rows" ? next : undefined })}
          small
        />
      </div>
      {rows.error && !rows.data && (
        <Failure error={rows.error} onRetry={() => void rows.refetch()} />
      )}
      {!rows.data && !rows.error && <Skeleton className="m-4 h-64" />}
      {rows.data && (
        <div className="overflow-x-auto">
          {view === "examples" ? (
            <Examples items={rows.data.items} />
          ) : (
            <Rows
              items={rows.data.items}
              columns={version.report.columns.map((column) => column.name)}
            />
          )}
        </div>
      )}
      {rows.data && rows.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={rows.data.total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </section>
  );
}

const HEAD = "h-9 px-3 whitespace-nowrap";
const CELL = "max-w-96 px-3 py-2 align-top";

function Examples({ items }: { items: DatasetRow[] }) {
  return (
    <table className="w-full border-collapse text-left">
      <thead>
        <tr className="eyebrow border-line border-b">
          {["Line", "Prompt", "Answer", "Rationale", "Graded by"].map((title) => (
            <th key={title} scope="col" className={HEAD}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map(({ line, record, problem }) => (
          <tr key={line} className="border-line border-b last:border-b-0">
            <td className={`${CELL} tabular-nums`}>{integer(line)}</td>
            {record ? (
              <>
                <td className={CELL}>
                  <Excerpt text={record.prompt} />
                </td>
                <td className={CELL}>
                  <Excerpt text={record.answer} />
                </td>
                <td className={`${CELL} text-muted`}>
                  <Excerpt text={record.rationale ?? ""} />
                </td>
                <td className={`${CELL} text-muted`}>{task(record)}</td>
              </>
            ) : (
              <td colSpan={4} className={`${CELL} text-bad`}>
                {problem?.message}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function task(record: NonNullable<DatasetRow["record"]>): string {
  if (record.correct !== null && record.correct !== undefined) return "letter";
  if (record.tests) return "tests";
  if (record.calls && record.calls.length > 0) return "calls";
  return record.number ? "number" : "text";
}

function Rows({ items, columns }: { items: DatasetRow[]; columns: string[] }) {
  return (
    <table className="w-full border-collapse text-left">
      <thead>
        <tr className="eyebrow border-line border-b">
          <th scope="col" className={HEAD}>
            Line
          </th>
          {columns.map((name) => (
            <th key={name} scope="col" className={`${HEAD} normal-case`}>
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map(({ line, raw }) => (
          <tr key={line} className="border-line border-b last:border-b-0">
            <td className={`${CELL} tabular-nums`}>{integer(line)}</td>
            {columns.map((name) => (
              <td key={name} className={`${CELL} font-mono text-sm`}>
                <Excerpt text={cell(raw[name])} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function cell(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}

const Excerpt = ({ text }: { text: string }) => (
  <span className="line-clamp-3 whitespace-pre-wrap break-words">{text}</span>
);
