import { keepPreviousData, queryOptions, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Database, FlaskConical, type LucideIcon, Rows3, Server } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { client, unwrap } from "../api/client";
import { refusal } from "../api/steering";
import type { Hit } from "../api/types";
import { Dialog } from "../components/Dialog";
import { StatusChip } from "../components/StatusChip";
import { useDebounced } from "../lib/hooks";
import { PLACES } from "./places";

export function usePaletteKey(open: () => void): void {
  const latest = useRef(open);
  latest.current = open;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        if (!document.querySelector("dialog[open]")) latest.current();
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}

function searchQuery(q: string) {
  return queryOptions({
    queryKey: ["search", q],
    queryFn: ({ signal }) =>
      unwrap(client.GET("/api/search", { params: { query: { q, limit: 6 } }, signal })),
    placeholderData: keepPreviousData,
  });
}

const KINDS: Record<Hit["kind"], { title: string; icon: LucideIcon }> = {
  run: { title: "Runs", icon: Rows3 },
  dataset: { title: "Data sets", icon: Database },
  study: { title: "Studies", icon: FlaskConical },
  worker: { title: "Workers", icon: Server },
};

interface Entry {
  key: string;
  group: string;
  icon: LucideIcon;
  name: string;
  detail: string;
  status: Hit["status"];
  open: () => void;
}

const fits = (hit: Hit, query: string) =>
  `${hit.name} ${hit.detail} ${hit.id}`.toLowerCase().includes(query.toLowerCase());

function useEntries(query: string): { entries: Entry[]; searching: boolean; error: unknown } {
  const navigate = useNavigate();
  const q = useDebounced(query, 150);
  const found = useQuery(searchQuery(q));
  const pages = PLACES.filter((place) => place.label.toLowerCase().includes(query.toLowerCase()));
  const open = ({ kind, id }: Hit) => {
    if (kind === "run") return navigate({ to: "/runs/$runId", params: { runId: id } });
    if (kind === "dataset")
      return navigate({ to: "/datasets/$datasetId", params: { datasetId: id } });
    if (kind === "study") return navigate({ to: "/studies/$studyId", params: { studyId: id } });
    return navigate({ to: "/workers", search: { worker: id } });
  };
  const searching = found.isPlaceholderData || q !== query;
  // Until the answer is there, of the last one only what fits: Enter opens nothing else.
  const hits = (found.data?.items ?? []).filter((hit) => !searching || fits(hit, query));
  return {
    searching: searching || found.isFetching,
    error: found.error,
    entries: [
      ...pages.map(({ to, label, icon }) => ({
        key: to,
        group: "Pages",
        icon,
        name: label,
        detail: "",
        status: null,
        open: () => void navigate({ to }),
      })),
      ...hits.map((hit) => ({
        key: `${hit.kind} ${hit.id}`,
        group: KINDS[hit.kind].title,
        icon: KINDS[hit.kind].icon,
        name: hit.name,
        detail: hit.detail,
        status: hit.status,
        open: () => void open(hit),
      })),
    ],
  };
}

/** Pages by their name, and whatever the server knows by a name or an identifier. */
export function CommandPalette({ onClose }: { onClose: () => void }) {
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const { entries, searching, error } = useEntries(query.trim());
  const index = Math.min(active, Math.max(0, entries.length - 1));
  const list = useRef<HTMLDivElement>(null);

  const open = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    entry.open();
  };
  const show = (next: number) => {
    setActive(next);
    list.current?.querySelector(`#palette-${next}`)?.scrollIntoView({ block: "nearest" });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") show(Math.min(index + 1, entries.length - 1));
    else if (event.key === "ArrowUp") show(Math.max(index - 1, 0));
    else if (event.key === "Enter") open(entries[index]);
    else return;
    event.preventDefault();
  };
  const problem = refusal(error);

  return (
    <Dialog title="Search" onClose={onClose} width="w-[600px]">
      <input
        data-autofocus
        role="combobox"
        aria-label="Search everything"
        aria-expanded="true"
        aria-autocomplete="list"
        aria-controls="palette-list"
        aria-activedescendant={entries.length ? `palette-${index}` : undefined}
        value={query}
        maxLength={200}
        placeholder="A page, or the name or id of a run, data set, study or worker"
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="control w-full"
      />
      <div
        ref={list}
        id="palette-list"
        role="listbox"
        aria-label="Results"
        // As high as it gets at once, so that nothing jumps while results come.
        className="mt-2 h-96 max-h-[60vh] overflow-y-auto"
      >
        {entries.map((entry, i) => (
          <Option
            key={entry.key}
            entry={entry}
            id={`palette-${i}`}
            begins={entry.group !== entries[i - 1]?.group}
            active={i === index}
            onOpen={() => open(entry)}
            onPoint={() => setActive(i)}
          />
        ))}
        {entries.length === 0 && !problem && (
          <p className="px-2.5 py-6 text-center text-muted">
            {searching ? "Searching…" : "Nothing has this name or id."}
          </p>
        )}
        {problem && (
          <p role="alert" className="px-2.5 py-3 text-bad">
            {problem}
          </p>
        )}
      </div>
    </Dialog>
  );
}

interface OptionProps {
  entry: Entry;
  id: string;
  /** The first of its group, which is then named above it. */
  begins: boolean;
  active: boolean;
  onOpen: () => void;
  onPoint: () => void;
}

function Option({ entry, id, begins, active, onOpen, onPoint }: OptionProps) {
  const Icon = entry.icon;
  return (
    <>
      {begins && (
        <div aria-hidden="true" className="eyebrow px-2.5 pt-2 pb-1">
          {entry.group}
        </div>
      )}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text field's */}
      <div
        id={id}
        role="option"
        tabIndex={-1}
        aria-selected={active}
        onClick={onOpen}
        onPointerMove={onPoint}
        className="flex h-8 cursor-pointer items-center gap-2.5 rounded-control px-2.5 aria-selected:bg-accent-soft"
      >
        <Icon aria-hidden="true" className="size-4 shrink-0 text-faint" />
        <span className="min-w-0 flex-1 truncate">{entry.name}</span>
        <span className="sr-only">{entry.group}</span>
        <span className="max-w-48 truncate text-faint text-sm">{entry.detail}</span>
        {entry.status && <StatusChip status={entry.status} />}
      </div>
    </>
  );
}
