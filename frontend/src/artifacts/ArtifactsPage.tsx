import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { FileInput, Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { bytes, plural } from "../lib/format";
import { useDebounced, useKeys, useTitle } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { ARTIFACT_KINDS, type ArtifactsSearch } from "../searches";
import { Page } from "../shell/Page";
import { ArtifactsTable } from "./ArtifactsTable";
import { ImportBundle } from "./ImportBundle";
import { artifactsQuery } from "./queries";
import { KINDS } from "./words";

const PAGE_SIZE = 50;
const KEYS = {
  title: "Artifacts",
  keys: [
    [["/"], "Search by run"],
    [["i"], "Import a bundle"],
  ],
} as const;

/** Adapters and exports of all runs. */
export function ArtifactsPage() {
  useTitle("Artifacts");
  const search: ArtifactsSearch = useSearch({ from: "/artifacts" });
  const navigate = useNavigate({ from: "/artifacts" });
  const [importing, setImporting] = useState(false);
  useKeyHelp(KEYS);
  useKeys({ i: () => setImporting(true) });
  const page = search.page ?? 1;
  const sort = search.sort ?? "-created_at";
  const list = useQuery(
    artifactsQuery({
      sort,
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      ...(search.q ? { q: search.q } : {}),
      ...(search.kind ? { kind: search.kind } : {}),
      ...(search.run ? { run_id: search.run } : {}),
    }),
  );
  const onSearch = (change: Partial<ArtifactsSearch>) =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, page: undefined, ...change }),
      replace: true,
    });
  const filtered = Boolean(search.q || search.kind || search.run);
  return (
    <Page
      crumbs={[{ label: "Artifacts" }]}
      actions={
        <Button onClick={() => setImporting(true)}>
          <FileInput aria-hidden="true" className="size-4" />
          Import a bundle…
        </Button>
      }
    >
      <Toolbar search={search} onSearch={onSearch}>
        {list.data && (
          <span className="ml-auto text-muted text-sm tabular-nums">
            {plural(list.data.total, "artifact")}, {bytes(list.data.total_bytes)} on disk
          </span>
        )}
      </Toolbar>
      {list.error && !list.data && (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      )}
      {!list.data && !list.error && <Skeleton className="m-4 h-60" />}
      {list.data?.items.length === 0 && <NothingHere filtered={filtered} />}
      {list.data && list.data.items.length > 0 && (
        <ArtifactsTable
          rows={list.data.items}
          sort={sort}
          onSort={(next) => onSearch({ sort: next === "-created_at" ? undefined : next })}
          onRun={(run) => onSearch({ run })}
        />
      )}
      {list.data && list.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={list.data.total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
      {importing && <ImportBundle onClose={() => setImporting(false)} />}
    </Page>
  );
}

const NothingHere = ({ filtered }: { filtered: boolean }) =>
  filtered ? (
    <Empty title="No artifact matches">Loosen the search or the filter.</Empty>
  ) : (
    <Empty title="No artifact yet">
      A run writes its adapter when it ends or is stopped. Export it from the run's page, under
      Artifacts.
    </Empty>
  );

interface ToolbarProps {
  search: ArtifactsSearch;
  onSearch: (change: Partial<ArtifactsSearch>) => void;
  children: React.ReactNode;
}

function Toolbar({ search, onSearch, children }: ToolbarProps) {
  const [words, setWords] = useState(search.q ?? "");
  const settled = useDebounced(words, 250);
  const input = useRef<HTMLInputElement>(null);
  useKeys({ "/": () => input.current?.focus() });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only what is typed leads
  useEffect(() => {
    if (settled !== (search.q ?? "")) onSearch({ q: settled || undefined });
  }, [settled]);
  return (
    <div className="flex flex-wrap items-center gap-2 border-line border-b px-4 py-2.5 md:px-6">
      <label className="relative">
        <Search aria-hidden="true" className="absolute top-2 left-2.5 size-4 text-faint" />
        <input
          ref={input}
          type="search"
          aria-label="Search by run"
          placeholder="Search by run"
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="control w-60 pl-8!"
        />
      </label>
      <select
        aria-label="Kind"
        value={search.kind ?? ""}
        onChange={(event) =>
          onSearch({ kind: ARTIFACT_KINDS.find((kind) => kind === event.target.value) })
        }
        className="control"
      >
        <option value="">All kinds</option>
        {ARTIFACT_KINDS.map((kind) => (
          <option key={kind} value={kind}>
            {KINDS[kind].label}
          </option>
        ))}
      </select>
      {search.run && (
        <Button onClick={() => onSearch({ run: undefined })}>
          <X aria-hidden="true" className="size-3.5" />
          Of one run only
        </Button>
      )}
      {children}
    </div>
  );
}
