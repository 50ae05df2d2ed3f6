import { Plus } from "lucide-react";
import { useState } from "react";
import { Popover } from "../components/Popover";
import { Button } from "../components/ui";
import { integer } from "../lib/format";
import type { StudyDetail } from "./api";
import { namedLevels, withInterval } from "./figures";
import type { StudyProps } from "./StudyPage";
import { isListed, toggled } from "./view";
import { deviceTime, tokenCount } from "./words";

const HEAD = "h-9 px-3 whitespace-nowrap first:pl-4 last:pr-4";
const CELL = "px-3 py-2 whitespace-nowrap first:pl-4 last:pr-4";

/** Every cell with every metric that is compared, and what it cost. */
export function AllCells({ study, search, onSearch }: StudyProps) {
  const { report } = study;
  return (
    <section aria-label="All cells" className="panel">
      <header className="flex flex-wrap items-center gap-3 border-line border-b px-4 py-2.5">
        <h2 className="flex-1 font-semibold text-lg">All cells</h2>
        <MoreMetrics
          study={study}
          isChosen={(name) => isListed(search.more, name)}
          onToggle={(name) => onSearch({ more: toggled(search.more, name) })}
        />
      </header>
      <div className="overflow-x-auto">
        <table className="w-full border-collapse text-left">
          <thead>
            <tr className="eyebrow border-line border-b">
              {Object.keys(report.factors).map((factor) => (
                <th key={factor} scope="col" className={HEAD}>
                  {factor}
                </th>
              ))}
              {["Runs", ...report.metrics, "Device time", "Tokens"].map((title) => (
                <th key={title} scope="col" className={`${HEAD} text-right`}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.cells.map((cell) => (
              <tr
                key={namedLevels(cell.levels)}
                data-testid="study-cell"
                className="border-line border-b last:border-b-0"
              >
                {Object.entries(cell.levels).map(([factor, level]) => (
                  <td key={factor} className={CELL}>
                    {level}
                  </td>
                ))}
                <td className={`${CELL} text-right tabular-nums`}>
                  {integer(cell.seeds.length)}/
                  {integer(Object.values(cell.states).reduce((sum, one) => sum + one, 0))}
                </td>
                {report.metrics.map((metric) => {
                  const outcome = cell.outcomes[metric];
                  const shown = search.show === "gain" ? outcome?.gain : outcome?.final;
                  return (
                    <td
                      key={metric}
                      title={shown?.note || undefined}
                      className={`${CELL} text-right tabular-nums`}
                    >
                      {shown ? withInterval(shown, search.show === "gain") : "–"}
                    </td>
                  );
                })}
                <td className={`${CELL} text-right tabular-nums`}>{deviceTime(cell.cost)}</td>
                <td className={`${CELL} text-right tabular-nums`}>
                  {tokenCount(cell.cost.tokens)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

interface MoreMetricsProps {
  study: StudyDetail;
  isChosen: (name: string) => boolean;
  onToggle: (name: string) => void;
}

function MoreMetrics({ study, isChosen, onToggle }: MoreMetricsProps) {
  const [text, setText] = useState("");
  const offered = study.metrics.filter(
    (name) => isChosen(name) || !study.report.metrics.includes(name),
  );
  if (offered.length === 0) return null;
  const matching = offered.filter((name) => name.toLowerCase().includes(text.toLowerCase()));
  return (
    <Popover
      className="top-full right-0 mt-1 w-80 p-2"
      button={({ open, toggle }) => (
        <Button small aria-expanded={open} onClick={toggle} className="print:hidden">
          <Plus aria-hidden="true" className="size-3.5" />
          Metrics
        </Button>
      )}
    >
      {() => (
        <fieldset>
          <legend className="sr-only">Compare these metrics too</legend>
          <input
            aria-label="Find a metric"
            placeholder="Find a metric"
            value={text}
            onChange={(event) => setText(event.target.value)}
            className="control mb-1 w-full"
          />
          <div className="max-h-72 overflow-y-auto">
            {matching.map((name) => (
              <label
                key={name}
                className="flex min-h-8 cursor-pointer items-center gap-2.5 rounded-control px-2 hover:bg-hover"
              >
                <input
                  type="checkbox"
                  className="accent-(--accent)"
                  checked={isChosen(name)}
                  onChange={() => onToggle(name)}
                />
                <span className="min-w-0 break-words">{name}</span>
              </label>
            ))}
            {matching.length === 0 && <p className="px-2 py-2 text-muted">No metric matches.</p>}
          </div>
        </fieldset>
      )}
    </Popover>
  );
}
