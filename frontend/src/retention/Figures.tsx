import { integer, number, UNKNOWN } from "../lib/format";
import { DIRECTIONS } from "./measures";
import type { Direction, DirectionFigures, Retention, Summary } from "./queries";

const CELL = "px-2 py-1.5 last:pr-3 lg:px-3 text-right tabular-nums whitespace-nowrap";
const HEAD = "h-8 px-2 last:pr-3 lg:px-3 text-right font-normal whitespace-nowrap";
const STATISTICS = ["mean", "sd", "p10", "p25", "median", "p75", "p90"] as const;

const ROWS: readonly (readonly [keyof DirectionFigures, string])[] = [
  ["jsd", "JSD to base"],
  ["base_logprob", "Log p under the base"],
  ["tuned_logprob", "Log p under the model"],
];

/** How the examples' means are distributed, and the perplexities they make. */
export function Figures({ found, direction }: { found: Retention; direction: Direction }) {
  const figures = found.directions[direction];
  if (!figures) return null;
  return (
    <div tabIndex={0} className="overflow-x-auto">
      <table
        aria-label={`Distribution over ${DIRECTIONS[direction].label.toLowerCase()}`}
        className="w-full border-collapse text-left text-sm lg:text-base"
      >
        <thead>
          <tr className="eyebrow border-line border-b">
            <th scope="col" className="h-8 px-3 font-normal">
              Nats per token
            </th>
            {STATISTICS.map((name) => (
              <th key={name} scope="col" className={HEAD}>
                {name}
              </th>
            ))}
            <th scope="col" className={HEAD} title="exp of minus the mean log-probability">
              Perplexity
            </th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([name, label]) => (
            <tr key={name} className="border-line border-b last:border-b-0">
              <th scope="row" className="whitespace-nowrap px-3 py-1.5 font-normal">
                {label}
              </th>
              {STATISTICS.map((statistic) => (
                <td key={statistic} className={CELL}>
                  {number((figures[name] as Summary)[statistic], 4)}
                </td>
              ))}
              <td className={CELL}>{perplexityOf(figures, name)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="border-line border-t px-3 py-1.5 text-faint text-sm">
        {integer(figures.examples)} examples
        {figures.empty > 0 &&
          `; ${integer(figures.empty)} empty ${figures.empty === 1 ? "completion is" : "completions are"} counted apart`}
        . {DIRECTIONS[direction].help}
      </p>
    </div>
  );
}

function perplexityOf(figures: DirectionFigures, name: keyof DirectionFigures): string {
  if (name === "base_logprob") return number(figures.base_perplexity, 4);
  if (name === "tuned_logprob") return number(figures.tuned_perplexity, 4);
  return figures.examples ? "" : UNKNOWN;
}
