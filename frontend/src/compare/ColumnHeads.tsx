import type { ComparedColumn } from "../api/types";
import { plural } from "../lib/format";
import { columnStyles, Swatch } from "./RunBar";

interface ColumnHeadsProps {
  first: string;
  columns: readonly ComparedColumn[];
}

/** A head for each compared run, the baseline's first. */
export function ColumnHeads({ first, columns }: ColumnHeadsProps) {
  const styles = columnStyles(columns);
  return (
    <tr className="border-line border-b">
      <th scope="col" className="eyebrow sticky left-0 min-w-48 bg-surface px-3 py-2 align-bottom">
        {first}
      </th>
      {columns.map((column) => (
        <th
          key={column.key}
          scope="col"
          title={column.label}
          className="min-w-36 px-3 py-2 text-right align-bottom font-normal"
        >
          <span className="flex items-center justify-end gap-2">
            <Swatch style={styles[column.key]} />
            <span className="line-clamp-2 max-w-52 break-words text-left font-medium text-sm">
              {column.label}
            </span>
          </span>
          <span className="eyebrow block">
            {[
              column.baseline ? "baseline" : "",
              column.runs.length > 1 ? `mean of ${plural(column.runs.length, "seed")}` : "",
            ]
              .filter(Boolean)
              .join(" · ") || "\u00a0"}
          </span>
        </th>
      ))}
    </tr>
  );
}
