import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { runsQuery } from "../api/queries";
import type { RunSummary } from "../api/types";
import { Dialog } from "../components/Dialog";
import { StatusChip } from "../components/StatusChip";
import { Failure } from "../components/states";
import { Time } from "../components/Time";
import { Button, Skeleton } from "../components/ui";
import { baseName, plural } from "../lib/format";
import { useDebounced } from "../lib/hooks";
import { MOST_RUNS } from "./selection";

interface RunPickerProps {
  chosen: readonly string[];
  onDone: (ids: string[]) => void;
  onClose: () => void;
}

const SHOWN = 50;

/** Finds runs by name; arrows go through the list, Space chooses. */
export function RunPicker({ chosen, onDone, onClose }: RunPickerProps) {
  const [text, setText] = useState("");
  const [ids, setIds] = useState<readonly string[]>(chosen);
  const list = useRef<HTMLUListElement>(null);
  const q = useDebounced(text.trim(), 200);
  const found = useQuery(runsQuery({ limit: SHOWN, ...(q ? { q } : {}) }));
  const full = ids.length >= MOST_RUNS;
  const toggle = (id: string) =>
    setIds((before) =>
      before.includes(id) ? before.filter((one) => one !== id) : [...before, id],
    );
  return (
    <Dialog
      title="Choose runs"
      width="w-[680px]"
      onClose={onClose}
      footer={
        <>
          <span role="status" className="mr-auto self-center text-muted text-sm">
            {plural(ids.length, "run")} chosen
            {full ? `; no more than ${MOST_RUNS} at once` : ""}
          </span>
          {ids.length > 0 && (
            <Button variant="ghost" onClick={() => setIds([])}>
              Choose none
            </Button>
          )}
          <Button variant="primary" onClick={() => onDone([...ids])}>
            Compare
          </Button>
        </>
      }
    >
      <input
        data-autofocus
        type="search"
        aria-label="Search runs by name"
        placeholder="Run name"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") moveFocus(list.current, event, 1);
          else if (event.key === "Enter") onDone([...ids]);
        }}
        className="control w-full"
      />
      <ul
        ref={list}
        aria-label="Runs"
        onKeyDown={(event) => {
          const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
          if (by) moveFocus(list.current, event, by);
        }}
        className="mt-2 h-[50vh] overflow-y-auto"
      >
        {found.data?.items.map((run) => (
          <Choice
            key={run.id}
            run={run}
            checked={ids.includes(run.id)}
            disabled={full && !ids.includes(run.id)}
            onToggle={() => toggle(run.id)}
          />
        ))}
        {!found.data && !found.error && <Skeleton className="h-40" />}
        {found.error && !found.data && <Failure error={found.error} />}
        {found.data?.items.length === 0 && (
          <li className="px-2.5 py-6 text-center text-muted">
            {q ? "No run has this name." : "There is no run yet."}
          </li>
        )}
        {found.data && found.data.total > SHOWN && (
          <li className="px-2.5 py-2 text-faint text-sm">
            The newest {SHOWN} of {plural(found.data.total, "run")}: search for the others.
          </li>
        )}
      </ul>
    </Dialog>
  );
}

function moveFocus(
  list: HTMLElement | null,
  event: React.KeyboardEvent<HTMLElement>,
  by: number,
): void {
  const boxes = [...(list?.querySelectorAll<HTMLElement>("input:not(:disabled)") ?? [])];
  const at = boxes.indexOf(document.activeElement as HTMLElement);
  const next = boxes[at < 0 ? 0 : Math.min(boxes.length - 1, Math.max(0, at + by))];
  if (!next) return;
  event.preventDefault();
  next.focus();
}

interface ChoiceProps {
  run: RunSummary;
  checked: boolean;
  disabled: boolean;
  onToggle: () => void;
}

function Choice({ run, checked, disabled, onToggle }: ChoiceProps) {
  return (
    <li>
      <label
        className={`flex h-9 items-center gap-3 rounded-control px-2.5 focus-within:bg-hover hover:bg-hover ${disabled ? "opacity-55" : "cursor-pointer"}`}
      >
        <input
          type="checkbox"
          checked={checked}
          disabled={disabled}
          onChange={onToggle}
          className="accent-(--accent)"
        />
        <span className="min-w-0 flex-1 truncate" title={run.name}>
          {run.name}
        </span>
        <span className="hidden max-w-40 truncate text-faint text-sm sm:inline">
          {baseName(run.model)}
        </span>
        <span className="w-24">
          <StatusChip status={run.status} still />
        </span>
        <span className="w-20 text-right text-faint text-sm tabular-nums">
          <Time iso={run.created_at} />
        </span>
      </label>
    </li>
  );
}
