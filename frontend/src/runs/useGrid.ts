/** The list's cursor and selection, by mouse and by keys. */
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { client, unwrap } from "../api/client";
import type { RunsQuery } from "../api/queries";
import type { RunSummary } from "../api/types";
import { useKeys } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { type Line, lineAt, lineCount, type Segment } from "./layout";
import { added, NOTHING, type Pick, pickOf, type Selection, toggled } from "./selection";

const MOST = 20_000;

const KEYS = {
  title: "Runs",
  keys: [
    [["/"], "Search by name"],
    [["j", "k"], "Next, previous run; arrows do, too"],
    [["Home", "End"], "First, last run"],
    [["Enter"], "Open the run, or a group"],
    [["x"], "Select the run, or a group's runs; the space bar does, too"],
    [["Shift", "↓"], "Select the next one, too"],
    [["Ctrl", "A"], "Select all of the list"],
    [["c"], "Compare the selected runs"],
    [["#"], "Delete the selected runs"],
    [["Esc"], "Select none"],
  ],
} as const;

async function fetchPicks(query: RunsQuery, offset: number, limit: number): Promise<Pick[]> {
  const { metric: _, param: __, ...wanted } = query;
  const asked = { ...wanted, offset, limit };
  return (await unwrap(client.GET("/api/runs/picks", { params: { query: asked } }))).items;
}

interface GridState {
  query: RunsQuery;
  segments: readonly Segment[] | undefined;
  rowAt: (line: Line & { kind: "run" }) => RunSummary | undefined;
  onOpenGroup: (value: string) => void;
}

export function useGrid({ query, segments = [], rowAt, onOpenGroup }: GridState) {
  const navigate = useNavigate();
  const [cursor, setCursor] = useState(0);
  const [moves, setMoves] = useState(0);
  const [anchor, setAnchor] = useState(0);
  const [selection, setSelection] = useState<Selection>(NOTHING);
  const [error, setError] = useState<unknown>(null);
  const count = lineCount(segments);
  const at = Math.min(cursor, Math.max(0, count - 1));

  const runAt = (index: number): RunSummary | undefined => {
    const line = lineAt(segments, index);
    return line?.kind === "run" ? rowAt(line) : undefined;
  };
  const runsOf = ({ filter }: Segment, offset: number, limit: number) => {
    const all = filter === null ? query.filter : [...(query.filter ?? []), filter];
    return fetchPicks({ ...query, ...(all ? { filter: all } : {}) }, offset, limit);
  };
  /** The runs between two lines; what is not loaded is asked for. */
  const between = async (from: number, to: number): Promise<Pick[]> => {
    const [low, high] = from < to ? [from, to] : [to, from];
    const picks: Pick[] = [];
    for (const segment of segments) {
      const head = segment.group ? 1 : 0;
      const first = Math.max(low, segment.start + head);
      const last = Math.min(high, segment.start + segment.lines - 1);
      if (first > last) continue;
      const runs = Array.from({ length: last - first + 1 }, (_, i) => runAt(first + i));
      if (runs.every((run) => run !== undefined)) picks.push(...runs.map(pickOf));
      else {
        picks.push(...(await runsOf(segment, first - segment.start - head, last - first + 1)));
      }
    }
    return picks;
  };
  const extend = (from: number, to: number) => {
    between(from, to).then((picks) => setSelection((before) => added(before, picks)), setError);
  };
  const toggle = (index: number, extended: boolean) => {
    setCursor(index);
    if (extended) return extend(anchor, index);
    setAnchor(index);
    const line = lineAt(segments, index);
    if (line?.kind === "group") {
      runsOf(line.segment, 0, MOST).then(
        (picks) => setSelection((before) => toggled(before, picks)),
        setError,
      );
    }
    const run = runAt(index);
    if (run) setSelection((before) => toggled(before, [pickOf(run)]));
  };
  const selectAll = () => {
    fetchPicks(query, 0, MOST).then((picks) => setSelection(added(NOTHING, picks)), setError);
  };
  const move = (to: number, extended = false) => {
    const next = Math.max(0, Math.min(count - 1, to));
    if (extended) extend(at, next);
    else setAnchor(next);
    setCursor(next);
    setMoves(moves + 1);
  };
  const open = () => {
    const line = lineAt(segments, at);
    if (line?.kind === "group") return onOpenGroup(line.group.value);
    const run = runAt(at);
    if (run) void navigate({ to: "/runs/$runId", params: { runId: run.id } });
  };

  const onKey = (event: React.KeyboardEvent, page: number) => {
    if (!(event.target instanceof HTMLTableRowElement)) return;
    const line = lineAt(segments, at);
    const fold = line?.kind === "group" ? line : null;
    const keys: Record<string, (() => void) | undefined> = {
      ArrowDown: () => move(at + 1, event.shiftKey),
      ArrowUp: () => move(at - 1, event.shiftKey),
      PageDown: () => move(at + page, event.shiftKey),
      PageUp: () => move(at - page, event.shiftKey),
      Home: () => move(0, event.shiftKey),
      End: () => move(count - 1, event.shiftKey),
      " ": () => toggle(at, event.shiftKey),
      Enter: open,
      ArrowRight: fold && !fold.open ? open : undefined,
      ArrowLeft: fold?.open ? open : undefined,
      a: event.ctrlKey || event.metaKey ? selectAll : undefined,
    };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  const inGrid = () => document.activeElement instanceof HTMLTableRowElement;
  useKeyHelp(KEYS);
  useKeys({
    j: () => move(inGrid() ? at + 1 : at),
    k: () => move(inGrid() ? at - 1 : at),
    x: () => toggle(at, false),
  });

  return {
    cursor: at,
    moves,
    setCursor,
    selection,
    setSelection,
    toggle,
    selectAll,
    onKey,
    error,
    clearError: () => setError(null),
  };
}
