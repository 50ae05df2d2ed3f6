import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { runsQuery } from "../api/queries";
import type { RunSummary } from "../api/types";
import { Dialog } from "../components/Dialog";
import { StatusChip } from "../components/StatusChip";
import { baseName } from "../lib/format";
import { useDebounced } from "../lib/hooks";

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

const PAGES = [
  { label: "Runs", to: "/" },
  { label: "New run", to: "/runs/new" },
  { label: "Datasets", to: "/datasets" },
  { label: "Queue", to: "/queue" },
  { label: "Workers", to: "/workers" },
] as const;

type Entry =
  | { kind: "page"; label: string; to: (typeof PAGES)[number]["to"] }
  | { kind: "run"; run: RunSummary };

export function CommandPalette({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const q = useDebounced(query.trim(), 150);
  const found = useQuery(runsQuery({ limit: 12, ...(q ? { q } : {}) }));

  const pages = PAGES.filter((p) => p.label.toLowerCase().includes(query.trim().toLowerCase()));
  const entries: Entry[] = [
    ...pages.map((page) => ({ kind: "page" as const, ...page })),
    ...(found.data?.items ?? []).map((run) => ({ kind: "run" as const, run })),
  ];
  const index = Math.min(active, Math.max(0, entries.length - 1));

  const open = (entry: Entry | undefined) => {
    if (!entry) return;
    onClose();
    if (entry.kind === "page") void navigate({ to: entry.to });
    else void navigate({ to: "/runs/$runId", params: { runId: entry.run.id } });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setActive(Math.min(index + 1, entries.length - 1));
    else if (event.key === "ArrowUp") setActive(Math.max(index - 1, 0));
    else if (event.key === "Enter") open(entries[index]);
    else return;
    event.preventDefault();
  };

  return (
    <Dialog title="Search" onClose={onClose} width="w-[560px]">
      <input
        data-autofocus
        role="combobox"
        aria-label="Search runs and pages"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={entries.length ? `palette-${index}` : undefined}
        value={query}
        placeholder="Run name or page"
        onChange={(event) => {
          setQuery(event.target.value);
          setActive(0);
        }}
        onKeyDown={onKeyDown}
        className="control w-full"
      />
      <div
        id="palette-list"
        role="listbox"
        aria-label="Results"
        className="mt-2 max-h-80 overflow-y-auto"
      >
        {entries.map((entry, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text field's
          <div
            key={entry.kind === "page" ? entry.to : entry.run.id}
            id={`palette-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === index}
            onClick={() => open(entry)}
            onPointerMove={() => setActive(i)}
            className="flex h-9 cursor-pointer items-center gap-3 rounded-control px-2.5 aria-selected:bg-accent-soft"
          >
            {entry.kind === "page" ? (
              <span>{entry.label}</span>
            ) : (
              <>
                <span className="min-w-0 flex-1 truncate">{entry.run.name}</span>
                <span className="truncate text-faint text-sm">{baseName(entry.run.model)}</span>
                <StatusChip status={entry.run.status} />
              </>
            )}
          </div>
        ))}
        {entries.length === 0 && (
          <p className="px-2.5 py-6 text-center text-muted">
            {found.isFetching ? "Searching…" : "No run or page has this name."}
          </p>
        )}
      </div>
    </Dialog>
  );
}
