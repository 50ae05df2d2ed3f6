import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { datasetQuery, datasetsQuery, leaksQuery, lengthsQuery } from "../api/datasetQueries";
import type { DatasetHistogram, DatasetVersion } from "../api/types";
import { Failure } from "../components/states";
import { Button, Skeleton } from "../components/ui";
import { integer, plural } from "../lib/format";
import type { DatasetSearch } from "../searches";

const DEMO_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct";

interface ChecksProps {
  version: DatasetVersion;
  search: DatasetSearch;
  onSearch: (change: Partial<DatasetSearch>) => void;
}

/** What is worth knowing before training: lengths for a model, and leaks into an evaluation. */
export function Checks(props: ChecksProps) {
  return (
    <div className="grid gap-4 xl:grid-cols-2">
      <LengthsCheck {...props} />
      <LeakCheck {...props} />
    </div>
  );
}

function LengthsCheck({ version, search, onSearch }: ChecksProps) {
  const id = useId();
  const { model } = search;
  const [typed, setTyped] = useState(model ?? DEMO_MODEL);
  const found = useQuery({ ...lengthsQuery(version, model ?? ""), enabled: model !== undefined });
  return (
    <section aria-labelledby={`${id}-title`} className="panel flex flex-col gap-3 p-4">
      <h2 id={`${id}-title`} className="font-semibold">
        Lengths in tokens
      </h2>
      <form
        className="flex flex-wrap items-end gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          onSearch({ model: typed.trim() });
        }}
      >
        <label htmlFor={`${id}-model`} className="flex min-w-64 flex-1 flex-col gap-1 text-sm">
          Model whose tokenizer counts
          <input
            id={`${id}-model`}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
            className="control"
          />
        </label>
        <Button type="submit" disabled={typed.trim() === ""}>
          Count
        </Button>
      </form>
      {found.isFetching && !found.data && <Skeleton className="h-40" />}
      {found.error && <Failure error={found.error} onRetry={() => void found.refetch()} />}
      {found.data && (
        <>
          <Bars title="Prompts" histogram={found.data.prompt} />
          <Bars title="Answers" histogram={found.data.answer} />
          <p className="text-faint text-sm">
            {plural(found.data.examples, "example", "examples")} counted
          </p>
        </>
      )}
    </section>
  );
}

function Bars({ title, histogram }: { title: string; histogram: DatasetHistogram }) {
  const most = Math.max(...histogram.counts, 1);
  return (
    <figure>
      <figcaption className="flex justify-between gap-4 text-sm">
        <span className="font-medium">{title}</span>
        <span className="text-muted tabular-nums">
          {integer(histogram.minimum)} to {integer(histogram.maximum)}, median{" "}
          {integer(histogram.median)}, 95 % up to {integer(histogram.p95)}
        </span>
      </figcaption>
      <div
        role="img"
        aria-label={`${title}: how many have how many tokens, at most ${integer(most)} of a length`}
        className="mt-1 flex h-20 items-end gap-px border-line-strong border-b"
      >
        {histogram.counts.map((count, index) => (
          <div
            key={histogram.edges[index]}
            title={`${integer(histogram.edges[index])} to ${integer((histogram.edges[index + 1] ?? 0) - 1)} tokens: ${integer(count)}`}
            className="min-w-0 flex-1 bg-(--series-1)"
            style={{ height: `${(count / most) * 100}%` }}
          />
        ))}
      </div>
      <div className="flex justify-between text-faint text-xs tabular-nums">
        <span>{integer(histogram.edges.at(0))}</span>
        <span>{integer(histogram.edges.at(-1))} tokens</span>
      </div>
    </figure>
  );
}

function LeakCheck({ version, search, onSearch }: ChecksProps) {
  const id = useId();
  const dataset = search.against ?? "";
  const all = useQuery(datasetsQuery);
  const chosen = useQuery({ ...datasetQuery(dataset), enabled: dataset !== "" });
  const other = chosen.data?.items.at(0);
  const leaks = useQuery({
    ...leaksQuery(version, other ?? version),
    enabled: other !== undefined,
  });
  return (
    <section aria-labelledby={`${id}-title`} className="panel flex flex-col gap-3 p-4">
      <h2 id={`${id}-title`} className="font-semibold">
        Leaks into an evaluation
      </h2>
      <label htmlFor={`${id}-other`} className="flex flex-col gap-1 text-sm">
        Data set that is evaluated on
        <select
          id={`${id}-other`}
          value={dataset}
          onChange={(event) => onSearch({ against: event.target.value || undefined })}
          className="control"
        >
          <option value="">none</option>
          {all.data?.items
            .filter((item) => item.id !== version.dataset_id && item.latest !== null)
            .map((item) => (
              <option key={item.id} value={item.id}>
                {item.name}@{item.latest}
              </option>
            ))}
        </select>
      </label>
      {leaks.isFetching && !leaks.data && <Skeleton className="h-16" />}
      {leaks.error && <Failure error={leaks.error} onRetry={() => void leaks.refetch()} />}
      {leaks.data && other && (
        <p className={leaks.data.leaked ? "text-bad" : ""}>
          {leaks.data.leaked === 0
            ? `No prompt of ${other.reference} is trained on.`
            : `${plural(leaks.data.leaked, "prompt", "prompts")} of ${other.reference} (of ${integer(leaks.data.evaluation)}) stand here too: lines ${leaks.data.lines
                .slice(0, 20)
                .map((repeat) => integer(repeat.line))
                .join(", ")}.`}
        </p>
      )}
    </section>
  );
}
