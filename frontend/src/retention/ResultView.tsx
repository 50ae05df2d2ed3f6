import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { NameSearch } from "../components/NameSearch";
import { Paging } from "../components/Paging";
import { Failure } from "../components/states";
import { Button, Segmented, Skeleton } from "../components/ui";
import { plural } from "../lib/format";
import type { RunSearch } from "../searches";
import { tick } from "./Axes";
import { ExampleTable } from "./ExampleTable";
import { Figures } from "./Figures";
import { Histogram } from "./Histogram";
import { DIRECTIONS, MEASURES, type Measure } from "./measures";
import { PairPanel } from "./PairPanel";
import { Quarters } from "./Quarters";
import { LOOKS } from "./quadrants";
import {
  type Direction,
  type EvaluatedWeights,
  type Retention,
  resultOf,
  retentionQuery,
  rowsQuery,
} from "./queries";
import { PAGE_SIZE, rangeOf, rowsOf } from "./rows";
import { type Height, Scatter } from "./Scatter";
import { nameOf } from "./words";

interface ResultViewProps {
  result: EvaluatedWeights;
  /** The other results that it can be compared with. */
  items: readonly EvaluatedWeights[];
  search: RunSearch;
  onSearch: (change: Partial<RunSearch>, push?: boolean) => void;
}

/** One result: its figures, its pictures and its examples. */
export function ResultView({ result, items, search, onSearch }: ResultViewProps) {
  const direction: Direction = search.direction ?? "forward";
  const found = useQuery(retentionQuery(resultOf(result.name), direction));
  if (found.error && !found.data) {
    return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  }
  if (!found.data) return <Skeleton className="h-96" />;
  return (
    <>
      <Quarters
        found={found.data}
        chosen={search.quadrant}
        onChoose={(quadrant) => onSearch({ quadrant, page: undefined })}
      />
      <section aria-label="Retention" className="panel overflow-hidden">
        <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken px-3 py-2">
          <h2 className="font-medium">
            {result.set} · {nameOf(result)}
          </h2>
          <Segmented
            small
            label="Whose text is scored"
            value={direction}
            options={(["forward", "reverse", "gold"] as const).map((value) => ({
              value,
              label: DIRECTIONS[value].label,
              title: DIRECTIONS[value].help,
            }))}
            onChange={(next) =>
              onSearch({ direction: next === "forward" ? undefined : next, bin: undefined })
            }
          />
        </div>
        <Figures found={found.data} direction={direction} />
        <Pictures found={found.data} direction={direction} search={search} onSearch={onSearch} />
      </section>
      <PairPanel
        result={result}
        items={items}
        against={search.against}
        onAgainst={(against) => onSearch({ against }, true)}
      />
      <Examples result={result} search={search} onSearch={onSearch} />
    </>
  );
}

interface PicturesProps extends Omit<ResultViewProps, "result" | "items"> {
  found: Retention;
  direction: Direction;
}

function Pictures({ found, direction, search, onSearch }: PicturesProps) {
  const measure: Measure = search.measure ?? "jsd";
  const height: Height = search.height ?? "gain";
  const range = direction === "forward" ? rangeOf(search.bin) : null;
  return (
    <div className="border-line border-t">
      <div className="flex flex-wrap items-center gap-3 px-3 pt-2.5">
        <Segmented
          small
          label="Horizontal axis of examples"
          value={measure}
          options={(["jsd", "base_logprob"] as const).map((value) => ({
            value,
            label: MEASURES[value].label,
          }))}
          onChange={(next) =>
            onSearch({ measure: next === "jsd" ? undefined : next, bin: undefined })
          }
        />
        <Segmented
          small
          label="Vertical axis of examples"
          value={height}
          options={[
            { value: "gain", label: "Gain", title: "The grade less that of the base's answer" },
            { value: "grade", label: "Grade" },
          ]}
          onChange={(next) => onSearch({ height: next === "gain" ? undefined : next })}
        />
      </div>
      <div className="grid items-start lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Scatter
          points={found.points}
          measure={measure}
          height={height}
          onOpen={(example, sample) =>
            onSearch({ example, sample: sample || undefined, token: undefined }, true)
          }
        />
        <Histogram
          points={found.points}
          measure={measure}
          range={range}
          onRange={
            direction === "forward"
              ? (next) =>
                  onSearch({ bin: next ? `${next.low}..${next.high}` : undefined, page: undefined })
              : undefined
          }
        />
      </div>
    </div>
  );
}

function Examples({ result, search, onSearch }: Omit<ResultViewProps, "items">) {
  const rows = useQuery(rowsQuery(resultOf(result.name), rowsOf(search)));
  const range = rangeOf(search.bin);
  const total = rows.data?.total ?? 0;
  return (
    <section aria-label="Examples" className="panel overflow-hidden">
      <div className="flex flex-wrap items-center gap-3 border-line border-b bg-sunken px-3 py-2">
        <h2 className="font-medium">Examples</h2>
        <NameSearch
          label="Search questions and answers"
          placeholder="Search the texts"
          value={search.q ?? ""}
          onChange={(q) => onSearch({ q: q || undefined, page: undefined })}
        />
        {search.quadrant && (
          <Chip onClear={() => onSearch({ quadrant: undefined, page: undefined })}>
            {LOOKS[search.quadrant].label}
          </Chip>
        )}
        {range && (
          <Chip onClear={() => onSearch({ bin: undefined, page: undefined })}>
            {MEASURES[search.measure ?? "jsd"].label} {tick(range.low)} to {tick(range.high)}
          </Chip>
        )}
        <span className="ml-auto text-faint text-sm" aria-live="polite">
          {rows.data && plural(total, "example")}
        </span>
      </div>
      {rows.error && !rows.data && (
        <Failure error={rows.error} onRetry={() => void rows.refetch()} />
      )}
      {!rows.data && !rows.error && <Skeleton className="m-3 h-64" />}
      {rows.data && total === 0 && (
        <p className="px-3 py-8 text-center text-muted">No example matches. Loosen the filter.</p>
      )}
      {rows.data && total > 0 && (
        <ExampleTable
          items={rows.data.items}
          sort={search.rank ?? "gain"}
          onSort={(rank) => onSearch({ rank: rank === "gain" ? undefined : rank, page: undefined })}
          onOpen={(item) =>
            onSearch(
              { example: item.index, sample: item.sample || undefined, token: undefined },
              true,
            )
          }
        />
      )}
      {total > PAGE_SIZE && (
        <Paging
          page={search.page ?? 1}
          total={total}
          size={PAGE_SIZE}
          onPage={(next) => onSearch({ page: next > 1 ? next : undefined })}
        />
      )}
    </section>
  );
}

function Chip({ children, onClear }: { children: React.ReactNode; onClear: () => void }) {
  return (
    <Button small onClick={onClear} title="Take this filter away">
      {children}
      <X aria-hidden="true" className="size-3.5" />
    </Button>
  );
}
