import { ChevronDown, ChevronRight } from "lucide-react";
import type { RunStatus } from "../api/types";
import { StatusChip, statusLabel } from "../components/StatusChip";
import { Button } from "../components/ui";
import { integer, number, plural } from "../lib/format";
import { type Field, fieldOf, isMetric, metricOf } from "./fields";
import { valueWords } from "./filters";
import type { Group, Line } from "./layout";
import { CELL, CURSOR, type Place } from "./RunLine";

interface GroupRowProps extends Place {
  line: Line & { kind: "group" };
  fields: readonly Field[];
  by: string;
  onToggle: () => void;
  /** Selects its runs, or selects them no more. */
  onSelect: () => void;
}

/** The head of a group: how many runs, in which states, and the mean of each metric. */
export function GroupRow(props: GroupRowProps) {
  const { line, fields, by, onToggle, onSelect, index, focusable, onFocus } = props;
  const { group, open } = line;
  const name = group.label === "" ? `No ${nounOf(by)}` : valueWords(by, group.label);
  const Mark = open ? ChevronDown : ChevronRight;
  return (
    <tr
      data-testid="run-group"
      data-line={index}
      aria-rowindex={index + 2}
      aria-level={1}
      aria-expanded={open}
      tabIndex={focusable ? 0 : -1}
      onFocus={(event) => {
        if (event.target === event.currentTarget) onFocus();
      }}
      onClick={onToggle}
      className="group cursor-pointer bg-canvas outline-offset-[-2px] hover:bg-hover"
    >
      <td className={`${CELL} ${CURSOR} sticky left-0 z-[1] bg-canvas pr-0! pl-4!`}>
        <Mark aria-hidden="true" className="size-4 text-muted" />
      </td>
      {fields.map((field, i) => (
        <td
          key={field.id}
          className={`${CELL} whitespace-nowrap tabular-nums ${i === 0 ? `${CURSOR} sticky left-10 z-[1] bg-canvas` : "overflow-hidden"} ${field.numeric ? "text-right" : ""}`}
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
      <td className={`${CELL} pr-4! text-right`}>
        <Button
          small
          variant="ghost"
          tabIndex={-1}
          aria-label={`Select the runs of ${name}`}
          onClick={(event) => {
            event.stopPropagation();
            onSelect();
          }}
        >
          Select
        </Button>
      </td>
    </tr>
  );
}

const nounOf = (by: string): string => fieldOf(by)?.label.toLowerCase() ?? by;

function Figure({ group, field }: { group: Group; field: Field }) {
  if (field.id === "status") return <States group={group} />;
  if (!isMetric(field.id)) return null;
  const { path, which } = metricOf(field.id);
  // What the server knows of a group are the newest values.
  const spread = which === "last" ? group.metrics[path] : undefined;
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
    <span className="block truncate text-muted text-xs" title={words.join(", ")}>
      {words.join(", ")}
    </span>
  );
}
