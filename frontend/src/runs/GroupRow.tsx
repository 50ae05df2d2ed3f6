import { ChevronDown, ChevronRight } from "lucide-react";
import type { RunStatus } from "../api/types";
import { StatusChip, statusLabel } from "../components/StatusChip";
import { integer, number, plural } from "../lib/format";
import { type Field, fieldOf, isMetric, metricOf } from "./fields";
import { valueWords } from "./filters";
import type { Group, Line } from "./layout";
import { CELL, type Place } from "./RunLine";

interface GroupRowProps extends Place {
  line: Line & { kind: "group" };
  fields: readonly Field[];
  by: string;
  onToggle: () => void;
}

/** The head of a group: how many runs, in which states, and the mean of each metric. */
export function GroupRow({ line, fields, by, onToggle, index, focusable, onFocus }: GroupRowProps) {
  const { group, open } = line;
  const name = group.label === "" ? `No ${nounOf(by)}` : valueWords(by, group.label);
  const Mark = open ? ChevronDown : ChevronRight;
  return (
    <tr
      data-testid="run-group"
      data-line={index}
      aria-rowindex={index + 2}
      aria-expanded={open}
      tabIndex={focusable ? 0 : -1}
      onFocus={(event) => {
        if (event.target === event.currentTarget) onFocus();
      }}
      onClick={onToggle}
      className="cursor-pointer bg-canvas outline-offset-[-2px] hover:bg-hover"
    >
      <td className={`${CELL} sticky left-0 z-[1] bg-canvas pr-0! pl-4!`}>
        <Mark aria-hidden="true" className="size-4 text-muted" />
      </td>
      {fields.map((field, i) => (
        <td
          key={field.id}
          className={`${CELL} whitespace-nowrap tabular-nums ${i === 0 ? "sticky left-10 z-[1] bg-canvas" : "overflow-hidden"} ${field.numeric ? "text-right" : ""}`}
        >
          {i === 0 ? (
            <span className="flex items-baseline gap-2">
              <span className="truncate font-medium" title={name}>
                {name}
              </span>
              <span className="text-faint text-sm">{plural(group.count, "run")}</span>
            </span>
          ) : (
            <Figure group={group} field={field} />
          )}
        </td>
      ))}
      <td className={CELL} />
    </tr>
  );
}

const nounOf = (by: string): string => fieldOf(by)?.label.toLowerCase() ?? by;

function Figure({ group, field }: { group: Group; field: Field }) {
  if (field.id === "status") return <States group={group} />;
  if (!isMetric(field.id)) return null;
  const spread = group.metrics[metricOf(field.id).path];
  if (!spread) return null;
  const words = `Mean of ${plural(spread.count, "run")}; from ${number(spread.lowest)} to ${number(spread.highest)}`;
  return (
    <span title={words} className="text-muted">
      <span className="text-faint text-xs">mean </span>
      {number(spread.mean)}
    </span>
  );
}

function States({ group }: { group: Group }) {
  const states = Object.entries(group.states) as [RunStatus, number][];
  const words = states.map(([state, n]) => `${integer(n)} ${statusLabel(state).toLowerCase()}`);
  const [only] = states;
  if (states.length === 1 && only) return <StatusChip status={only[0]} still />;
  return (
    <span className="truncate text-muted text-xs" title={words.join(", ")}>
      {words.join(", ")}
    </span>
  );
}
