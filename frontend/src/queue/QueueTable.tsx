import { Link } from "@tanstack/react-router";
import { ChevronDown, ChevronsDown, ChevronsUp, ChevronUp, type LucideIcon, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { refusal, useSteerRun } from "../api/steering";
import type { Queue, QueuedRun } from "../api/types";
import { Time } from "../components/Time";
import { IconButton } from "../components/ui";
import { baseName, plural } from "../lib/format";
import { useEndDialog } from "../runs/EndRun";
import { type Direction, targets } from "./moves";
import { PriorityField } from "./PriorityField";

const MOVES: readonly { to: Direction; icon: LucideIcon; words: string }[] = [
  { to: "front", icon: ChevronsUp, words: "to the front" },
  { to: "up", icon: ChevronUp, words: "up" },
  { to: "down", icon: ChevronDown, words: "down" },
  { to: "back", icon: ChevronsDown, words: "to the back" },
];

const buttonId = (runId: string, to: Direction) => `move-${runId}-${to}`;

const HEAD = "px-3 py-1.5";

export function QueueTable({ queue }: { queue: Queue }) {
  const steer = useSteerRun();
  const problem = refusal(steer.error);
  const ids = queue.runs.map(({ run }) => run.id);
  const hidden = queue.waiting - ids.length;
  const order = ids.join();
  const pressed = useRef("");
  // A row that moves takes the focus away from its button: it is given back.
  useEffect(() => {
    if (order && pressed.current && document.activeElement === document.body) {
      document.getElementById(pressed.current)?.focus();
    }
    pressed.current = "";
  }, [order]);
  const move = (item: QueuedRun, to: Direction, before: string | null) => {
    pressed.current = buttonId(item.run.id, to);
    steer.mutate({ run: item.run, wish: { action: "move", before } });
  };
  return (
    <>
      {problem && (
        <p role="alert" className="border-line border-b px-4 py-2 text-bad">
          {problem}
        </p>
      )}
      <table className="w-full table-fixed text-left">
        <thead className="eyebrow border-line border-b bg-sunken">
          <tr>
            <th className={`${HEAD} w-14 pl-4 text-right`}>No.</th>
            <th className={HEAD}>Run</th>
            <th className={HEAD}>Waits for</th>
            <th className={`${HEAD} hidden w-32 lg:table-cell`}>Created</th>
            <th className={`${HEAD} w-24`}>Priority</th>
            <th className={`${HEAD} w-44 pr-4 text-right`}>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {queue.runs.map((item, i) => (
            <Row
              key={item.run.id}
              item={item}
              moves={targets(ids, i, queue.waiting)}
              busy={steer.isPending}
              onMove={(to, before) => move(item, to, before)}
              onPriority={(priority) =>
                steer.mutate({ run: item.run, wish: { action: "prioritise", priority } })
              }
            />
          ))}
        </tbody>
      </table>
      <p className="border-line border-t px-4 py-2 text-faint text-sm">
        Higher priority starts first. A run that is moved past one of another priority takes over
        that priority.
        {hidden > 0 && ` ${plural(hidden, "more run")} behind these.`}
      </p>
    </>
  );
}

interface RowProps {
  item: QueuedRun;
  moves: ReturnType<typeof targets>;
  busy: boolean;
  onMove: (to: Direction, before: string | null) => void;
  onPriority: (priority: number) => void;
}

function Row({ item, moves, busy, onMove, onPriority }: RowProps) {
  const { run } = item;
  const end = useEndDialog(run);
  const cancels = run.attempt === 0;
  return (
    <tr data-testid="queued-run" className="align-top">
      <td className="w-px py-2.5 pr-3 pl-4 text-right text-faint tabular-nums">{item.position}</td>
      <td className="max-w-48 px-3 py-2.5 xl:max-w-72">
        <Link
          to="/runs/$runId"
          params={{ runId: run.id }}
          title={run.name}
          className="block truncate font-medium hover:text-accent-text"
        >
          {run.name}
        </Link>
        <span className="block truncate text-faint text-xs" title={run.model}>
          {cancels ? baseName(run.model) : `after ${plural(run.attempt, "attempt")}`}
        </span>
      </td>
      <td className="px-3 py-2.5 text-muted text-sm">
        {item.reasons.length === 0 ? "the next free worker" : <Reasons all={item.reasons} />}
      </td>
      <td className="hidden whitespace-nowrap px-3 py-2.5 text-muted tabular-nums lg:table-cell">
        <Time iso={run.created_at} />
      </td>
      <td className="w-px px-3 py-1.5">
        <PriorityField name={run.name} value={run.priority} onChange={onPriority} />
      </td>
      <td className="w-px py-1.5 pr-3 pl-1">
        <div className="flex items-center justify-end">
          {MOVES.map(({ to, icon: Icon, words }) => {
            const before = moves[to];
            return (
              <IconButton
                key={to}
                id={buttonId(run.id, to)}
                label={`Move ${run.name} ${words}`}
                // Still focusable, so that moving a run up by the keyboard does not lose its place.
                aria-disabled={before === undefined || busy}
                className="aria-disabled:opacity-40"
                onClick={() => before !== undefined && !busy && onMove(to, before)}
              >
                <Icon aria-hidden="true" className="size-4" />
              </IconButton>
            );
          })}
          <IconButton
            label={`${cancels ? "Cancel" : "Stop"} ${run.name}`}
            className="ml-1"
            onClick={end.open}
          >
            <X aria-hidden="true" className="size-4" />
          </IconButton>
        </div>
        {end.dialog}
      </td>
    </tr>
  );
}

function Reasons({ all }: { all: readonly string[] }) {
  return (
    <ul>
      {all.map((reason) => (
        <li key={reason} className="text-pretty break-words">
          {reason}
        </li>
      ))}
    </ul>
  );
}
