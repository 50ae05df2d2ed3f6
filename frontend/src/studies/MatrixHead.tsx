import type { StudyTable } from "./api";

/** One line of column levels per factor there; equal neighbours share a head. */
export function MatrixHead({ table }: { table: StudyTable }) {
  const lines = table.column_factors;
  if (lines.length === 0 && table.row_factors.length === 0) return null;
  const head = "px-3 py-1.5 font-normal whitespace-nowrap";
  if (lines.length === 0) {
    return (
      <thead>
        <tr className="eyebrow border-line border-b">
          {table.row_factors.map((factor) => (
            <th key={factor} scope="col" className={`${head} px-4`}>
              {factor}
            </th>
          ))}
          <th scope="col" className={head}>
            Mean
          </th>
        </tr>
      </thead>
    );
  }
  return (
    <thead>
      {lines.map((factor, depth) => (
        <tr key={factor} className="border-line border-b">
          {table.row_factors.map((row) => (
            <th key={row} scope="col" className={`eyebrow ${head} border-line border-r px-4`}>
              {depth === lines.length - 1 ? row : ""}
            </th>
          ))}
          {spans(table, depth).map((span) => (
            <th
              key={span.key}
              scope="colgroup"
              colSpan={span.width}
              className={`${head} border-line border-l first:border-l-0`}
            >
              <span className="eyebrow">{factor}</span>{" "}
              <span className="font-medium">{span.level}</span>
            </th>
          ))}
        </tr>
      ))}
    </thead>
  );
}

interface Span {
  key: string;
  level: string;
  width: number;
}

function spans(table: StudyTable, depth: number): Span[] {
  const above = table.column_factors.slice(0, depth + 1);
  const found: Span[] = [];
  for (const levels of table.columns) {
    const key = above.map((factor) => levels[factor]).join(" ");
    const last = found.at(-1);
    if (last?.key === key) last.width += 1;
    else found.push({ key, level: levels[above[depth] ?? ""] ?? "", width: 1 });
  }
  return found;
}
