import type { Preflight } from "../../api/types";
import { bytes, integer, percent, plural, UNKNOWN } from "../../lib/format";
import { CELL, HEAD, Part } from "./Part";

type Data = NonNullable<Preflight["data"]>;

const TASKS: Record<string, string> = {
  choice: "multiple choice",
  code: "code",
  tools: "tool calls",
  number: "calculations",
  text: "free text",
};

const counted = (kinds: Record<string, number>): string =>
  Object.entries(kinds)
    .map(([kind, count]) => `${integer(count)} ${TASKS[kind] ?? kind.replaceAll("_", " ")}`)
    .join(", ");

/** Files of data sets are called by what is in them: the beginning is enough. */
const shown = (file: string) => file.replace(/^([0-9a-f]{12})[0-9a-f]{52}\./, "$1….");

/** The data as the run will read them. */
export function DataPart({ data }: { data: Data }) {
  const { file, held_out: held, records, skipped, tasks, train, whole } = data;
  const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const said = [
    `${shown(file)}, ${bytes(data.bytes)}`,
    `${whole ? "" : "the first "}${plural(records, "record")} read: ${integer(train)} to train on${held ? `, ${integer(held)} held out` : ""}`,
    ...(Object.keys(tasks).length > 0 ? [`graded as: ${counted(tasks)}`] : []),
  ].join(" · ");
  return (
    <Part id="data" title="Data" said={said}>
      {left > 0 && (
        <p className="text-sm text-warn">
          {plural(left, "row is", "rows are")} left out: {counted(skipped)}.
        </p>
      )}
      {data.columns.length > 0 && <Columns data={data} />}
      {data.layout !== "records" && (
        <p className="text-muted text-sm">
          Read in the form in which {data.layout.replaceAll("_", " ")} is published; its columns
          need no names.
        </p>
      )}
    </Part>
  );
}

function Columns({ data }: { data: Data }) {
  return (
    <div className="overflow-x-auto">
      <table aria-label="Columns of the data" className="w-full border-collapse text-sm">
        <thead>
          <tr className="eyebrow border-line border-b">
            {["Column", "Read as", "Type", "Filled", "First value"].map((title) => (
              <th key={title} scope="col" className={HEAD}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.columns.map((column) => (
            <tr key={column.name} className="border-line border-b last:border-b-0">
              <th scope="row" className={`${CELL} text-left font-mono font-normal`}>
                {column.name}
              </th>
              <td className={CELL}>
                {column.used_as?.replaceAll("_", " ") ?? (
                  <span className="text-faint">
                    {data.layout === "records" ? "not used" : UNKNOWN}
                  </span>
                )}
              </td>
              <td className={`${CELL} text-muted`}>{column.types.join(", ") || UNKNOWN}</td>
              <td className={`${CELL} text-muted tabular-nums`}>
                {percent(data.rows_looked_at ? column.filled / data.rows_looked_at : null)}
              </td>
              <td className={`${CELL} max-w-64 truncate text-muted`} title={column.sample}>
                {column.sample || UNKNOWN}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
