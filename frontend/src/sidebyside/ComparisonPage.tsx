import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { asApiError } from "../api/client";
import { Empty, Failure } from "../components/states";
import { Segmented } from "../components/ui";
import { useKeys, useTitle } from "../lib/hooks";
import { useKeyHelp } from "../lib/keys";
import { Page } from "../shell/Page";
import { PageSkeleton } from "../shell/pages";
import { type Comparison, comparisonQuery, isOpen, useChange } from "./api";
import { ColumnCard } from "./ColumnCard";
import { ComparisonActions } from "./ComparisonActions";
import { useLive } from "./live";
import { State } from "./State";
import type { ComparisonSearch } from "./searches";
import { VoteBar } from "./VoteBar";

const KEYS = {
  title: "Comparison",
  keys: [
    [["1–6"], "Vote for the column"],
    [["t"], "Vote for a tie"],
    [["x"], "Cancel"],
    [["f"], "Mark differences, or not"],
    [["←", "→"], "Token before, after, where tokens are shown"],
  ],
} as const;

export function ComparisonPage() {
  const { comparisonId } = useParams({ from: "/side-by-side/$comparisonId" });
  const found = useQuery(comparisonQuery(comparisonId));
  useTitle(found.data?.name ?? "Side by side");
  if (found.data) return <Known key={comparisonId} asked={found.data} />;
  if (!found.error) return <PageSkeleton />;
  const gone = asApiError(found.error).status === 404;
  return (
    <Page
      crumbs={[{ label: "Side by side", link: { to: "/side-by-side" } }, { label: "Not found" }]}
    >
      {gone ? (
        <Empty title="There is no such comparison">It may have been deleted.</Empty>
      ) : (
        <Failure error={found.error} onRetry={() => void found.refetch()} />
      )}
    </Page>
  );
}

function Known({ asked }: { asked: Comparison }) {
  const found = useLive(asked);
  const search: ComparisonSearch = useSearch({ from: "/side-by-side/$comparisonId" });
  const navigate = useNavigate({ from: "/side-by-side/$comparisonId" });
  const change = useChange(found.id);
  const onSearch = (part: Partial<ComparisonSearch>) =>
    void navigate({ to: ".", search: (old) => ({ ...old, ...part }), replace: true });
  const { samples } = found.asked;
  const sample = Math.min(search.sample ?? 0, samples - 1);
  const votable = !isOpen(found.status) && found.columns.length > 1;
  const reference = Math.min(search.against ?? 0, found.columns.length - 1);
  const marks = !search.plain && found.columns.length > 1;
  const vote = (winner: number | null) => {
    if (votable && (winner ?? 0) < found.columns.length) {
      change.mutate({ kind: "vote", sample, winner });
    }
  };
  useKeyHelp(KEYS);
  useKeys({
    ...Object.fromEntries(["1", "2", "3", "4", "5", "6"].map((key, i) => [key, () => vote(i)])),
    t: () => vote(null),
    x: () => isOpen(found.status) && change.mutate({ kind: "cancel" }),
    f: () => onSearch({ plain: search.plain ? undefined : true }),
  });
  const textOf = (column: number) =>
    found.answers.find((one) => one.column === column && one.sample === sample);
  return (
    <Page
      crumbs={[
        { label: "Side by side", link: { to: "/side-by-side" } },
        { label: found.name ?? shortened(found.title) },
      ]}
      actions={<ComparisonActions found={found} change={change} />}
    >
      <div className="flex flex-col gap-4 p-4 md:p-6">
        <details className="panel px-3 py-2" open={found.title.length < 400}>
          <summary className="cursor-pointer font-medium">Asked</summary>
          <pre className="mt-2 max-h-60 overflow-auto whitespace-pre-wrap break-words font-sans">
            {found.asked.prompt ?? found.title}
          </pre>
          <p className="mt-2 text-faint text-sm tabular-nums">
            seed {found.asked.seed}, temperature {found.asked.temperature}, top-p{" "}
            {found.asked.top_p}, at most {found.asked.max_tokens} tokens
          </p>
        </details>
        <State found={found} />
        <div className="flex flex-wrap items-center gap-3">
          {samples > 1 && (
            <Segmented
              label="Answer"
              value={String(sample)}
              options={Array.from({ length: samples }, (_, i) => ({
                value: String(i),
                label: `Answer ${i + 1}`,
              }))}
              onChange={(next) => onSearch({ sample: Number(next) || undefined })}
            />
          )}
          {found.columns.length > 1 && (
            <label className="flex items-center gap-2 text-sm">
              <span className="text-muted">Differences to</span>
              <select
                value={marks ? reference : "none"}
                onChange={(event) =>
                  onSearch(
                    event.target.value === "none"
                      ? { plain: true }
                      : { plain: undefined, against: Number(event.target.value) || undefined },
                  )
                }
                className="control h-7!"
              >
                {found.columns.map((column, i) => (
                  <option key={i} value={i}>
                    {i + 1}. {column.label}
                  </option>
                ))}
                <option value="none">Nothing: unmarked</option>
              </select>
            </label>
          )}
        </div>
        <section
          tabIndex={0}
          aria-label="Columns"
          className="-m-1 grid auto-cols-[minmax(300px,1fr)] grid-flow-col gap-3 overflow-x-auto p-1"
        >
          {found.columns.map((column, i) => (
            <ColumnCard
              key={i}
              found={found}
              column={column}
              place={i}
              sample={sample}
              answer={textOf(i)}
              against={marks && i !== reference ? textOf(reference)?.text : undefined}
              isReference={marks && i === reference}
              search={search}
              onSearch={onSearch}
            />
          ))}
        </section>
        {votable && <VoteBar found={found} sample={sample} change={change} onVote={vote} />}
      </div>
    </Page>
  );
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
