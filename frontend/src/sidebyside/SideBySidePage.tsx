import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Empty, Failure } from "../components/states";
import { Time } from "../components/Time";
import { Skeleton, Switch } from "../components/ui";
import { plural } from "../lib/format";
import { useTitle } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { Page } from "../shell/Page";
import { type ComparisonLine, comparisonQuery, comparisonsQuery } from "./api";
import { Composer } from "./Composer";
import { draftOf, emptyDraft } from "./draft";
import { StateWord } from "./State";
import type { SideBySideSearch } from "./searches";
import { Tallies } from "./Tallies";

const PAGE_SIZE = 20;
const KEYS = {
  title: "Side by side",
  keys: [
    [["/"], "Search the comparisons"],
    [["Ctrl", "Enter"], "Generate"],
  ],
} as const;

/** Ask several models the same; what was asked before. */
export function SideBySidePage() {
  useTitle("Side by side");
  useKeyHelp(KEYS);
  const search: SideBySideSearch = useSearch({ from: "/side-by-side" });
  const earlier = useQuery({
    ...comparisonQuery(search.from ?? ""),
    enabled: Boolean(search.from),
  });
  const start = useMemo(() => {
    if (earlier.data) return draftOf(earlier.data.asked);
    const draft = emptyDraft(search.runs?.split(",") ?? [], search.checkpoint ?? null);
    const [run, cursor] = search.evaluation?.split(":") ?? [];
    if (run && cursor && search.question !== undefined) {
      const question = { run_id: run, cursor: Number(cursor), index: search.question };
      return { ...draft, question, ask: "question" as const, temperature: 0 };
    }
    return draft;
  }, [search.runs, search.checkpoint, search.evaluation, search.question, earlier.data]);
  return (
    <Page crumbs={[{ label: "Side by side" }]}>
      <div className="flex flex-col gap-5 p-4 md:p-6">
        {search.from && !earlier.data && !earlier.error ? (
          <Skeleton className="h-80" />
        ) : (
          <Composer key={JSON.stringify(start)} start={start} />
        )}
        <Earlier search={search} />
        <Tallies />
      </div>
    </Page>
  );
}

function Earlier({ search }: { search: SideBySideSearch }) {
  const navigate = useNavigate({ from: "/side-by-side" });
  const onSearch = (change: Partial<SideBySideSearch>) =>
    void navigate({
      to: ".",
      search: (old) => ({ ...old, page: undefined, ...change }),
      replace: true,
    });
  const page = search.page ?? 1;
  const list = useQuery(
    comparisonsQuery({
      limit: PAGE_SIZE,
      offset: (page - 1) * PAGE_SIZE,
      saved: search.saved ?? false,
      ...(search.q ? { q: search.q } : {}),
    }),
  );
  return (
    <section aria-label="Earlier comparisons" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken px-3 py-2">
        <h2 className="font-medium">Earlier comparisons</h2>
        <NameSearch
          label="Search the comparisons"
          placeholder="Name or prompt"
          value={search.q ?? ""}
          onChange={(q) => onSearch({ q: q || undefined })}
        />
        <Switch
          checked={search.saved ?? false}
          onChange={(saved) => onSearch({ saved: saved || undefined })}
        >
          Saved only
        </Switch>
        {list.data && (
          <span className="ml-auto text-faint text-sm tabular-nums">
            {plural(list.data.total, "comparison")}
          </span>
        )}
      </div>
      {list.error && !list.data && (
        <Failure error={list.error} onRetry={() => void list.refetch()} />
      )}
      {!list.data && !list.error && <Skeleton className="m-4 h-24" />}
      {list.data?.items.length === 0 && (
        <Empty title={search.q || search.saved ? "No comparison matches" : "No comparison yet"}>
          {search.q || search.saved
            ? "Loosen the search."
            : "Choose columns, ask something, and compare the answers."}
        </Empty>
      )}
      {list.data && list.data.items.length > 0 && (
        <ul className="divide-y divide-line">
          {list.data.items.map((one) => (
            <Line key={one.id} one={one} />
          ))}
        </ul>
      )}
      {list.data && list.data.total > PAGE_SIZE && (
        <Paging
          page={page}
          total={list.data.total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </section>
  );
}

function Line({ one }: { one: ComparisonLine }) {
  return (
    <li className="relative flex flex-wrap items-center gap-x-4 gap-y-0.5 px-3 py-2 hover:bg-hover">
      <Link
        to="/side-by-side/$comparisonId"
        params={{ comparisonId: one.id }}
        className="min-w-0 flex-1 basis-72 truncate after:absolute after:inset-0 hover:text-accent-text"
      >
        {one.name ? <strong className="font-medium">{one.name}</strong> : one.title}
      </Link>
      <span className="min-w-0 flex-1 basis-72 truncate text-muted text-sm">
        {one.blind ? `${plural(one.labels.length, "column")}, blind` : one.labels.join(" · ")}
      </span>
      {one.votes > 0 && <span className="text-muted text-sm">{plural(one.votes, "vote")}</span>}
      <StateWord status={one.status} />
      <span className="w-24 text-right text-faint text-sm tabular-nums">
        <Time iso={one.created_at} />
      </span>
    </li>
  );
}
