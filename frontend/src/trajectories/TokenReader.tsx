import { Link2 } from "lucide-react";
import { type ReactNode, useCallback, useDeferredValue, useMemo } from "react";
import type { TrajectoryDetail } from "../api/types";
import { Copy } from "../components/Copy";
import { useKeys } from "../lib/hooks";
import { useTheme } from "../lib/theme";
import type { RunSearch } from "../searches";
import { LOOKS, paint, scaleOf } from "./colours";
import { useCursor } from "./cursor";
import { Jumps } from "./Jumps";
import { Legend } from "./Legend";
import { ranksOf } from "./ranks";
import { type MapValue, QUANTITIES } from "./search";
import { TeacherMap } from "./TeacherMap";
import { TokenCard } from "./TokenCard";
import { Tokens } from "./Tokens";
import type { TrajectoriesProps } from "./TrajectoriesTab";
import type { WhatIfState } from "./useReader";
import { viewsOf } from "./views";
import { WhatIf } from "./WhatIf";
import { recompute } from "./whatif";
import { present, recordOf, valuesOf } from "./whatifSettings";

interface TokenReaderProps {
  item: TrajectoryDetail;
  whatIf: WhatIfState | null;
  search: RunSearch;
  onSearch: TrajectoriesProps["onSearch"];
  /** The other texts, under the completion. */
  children: ReactNode;
}

/** The completion as coloured tokens over the map of views, beside the card of one token. */
export function TokenReader(props: TokenReaderProps) {
  const { item, whatIf, search, onSearch, children } = props;
  const cursor = useCursor();
  const tokens = item.token_values;
  const views = useMemo(() => viewsOf(item), [item]);
  const record = useMemo(() => recordOf(item), [item]);
  const before = useMemo(
    () => whatIf && recompute(record, whatIf.own, whatIf.own),
    [record, whatIf],
  );
  const after = useMemo(
    () => (whatIf?.changed ? recompute(record, whatIf.after, whatIf.own) : null),
    [record, whatIf],
  );
  // The text is coloured after the figures, which must not wait for it.
  const shown = useDeferredValue(after);
  const options = useMemo(() => present(item, record, shown), [item, record, shown]);
  const wanted = search.by ?? "divergence";
  const by = options.includes(wanted) ? wanted : (options[0] ?? "divergence");
  const coloured = useColours({ item, by, record, after: shown });
  const onShow = useCallback(
    (value: MapValue) => onSearch({ map: value === "logprob" ? undefined : value }),
    [onSearch],
  );
  useWalking(tokens.length);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_336px] lg:grid-rows-[auto_1fr]">
      <section aria-label="Completion" className="panel min-w-0 overflow-hidden">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-line border-b bg-sunken px-3 py-2">
          <h2 className="font-medium">Completion</h2>
          <label className="flex items-center gap-2 text-sm">
            <span className="text-muted">coloured by</span>
            <select
              value={by}
              onChange={(event) => {
                const next = QUANTITIES.find((name) => name === event.target.value);
                onSearch({ by: next === "divergence" ? undefined : next });
              }}
              className="control h-7!"
            >
              {options.map((name) => (
                <option key={name} value={name}>
                  {LOOKS[name].label}
                </option>
              ))}
            </select>
          </label>
          <Legend scale={coloured.scale} label={LOOKS[by].label} />
          {shown && (
            <span className="rounded-control bg-accent-soft px-1.5 text-accent-text text-sm">
              with the changed settings
            </span>
          )}
          <span className="ml-auto flex items-center gap-2">
            <Jumps by={by} item={item} ranks={coloured.ranks} />
            <Copy
              compact
              icon={Link2}
              text={() => linkTo(by, cursor.get().chosen)}
              label="Copy a link to this token"
            />
          </span>
        </div>
        <Tokens tokens={tokens} paints={coloured.paints} />
        <p className="border-line border-t px-3 py-2 text-faint text-sm">{LOOKS[by].help}</p>
        <TeacherMap item={item} views={views} show={search.map ?? "logprob"} onShow={onShow} />
      </section>
      <div className="min-w-0 self-stretch lg:col-start-2 lg:row-span-2 lg:row-start-1">
        <TokenCard
          item={item}
          views={views}
          rank={coloured.ranks.rank}
          by={by}
          before={before}
          after={after}
        />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        {whatIf && before && (
          <WhatIf state={whatIf} record={record} item={item} before={before} after={after} />
        )}
        {children}
      </div>
    </div>
  );
}

type Shown = Pick<TokenReaderProps, "item"> & {
  by: (typeof QUANTITIES)[number];
  record: Parameters<typeof valuesOf>[2];
  after: Parameters<typeof valuesOf>[3];
};

/** Values of the chosen quantity, as colours and as ranks. */
function useColours({ item, by, record, after }: Shown) {
  const theme = useTheme();
  const look = LOOKS[by];
  const values = useMemo(() => valuesOf(item, by, record, after), [item, by, record, after]);
  const scale = useMemo(() => scaleOf(values, look), [values, look]);
  const paints = useMemo(
    () => values.map((value) => paint(value, scale, theme)),
    [values, scale, theme],
  );
  const ranks = useMemo(() => ranksOf(values, look.least), [values, look]);
  return { scale, paints, ranks };
}

/** Arrow keys move from token to token, wherever the focus is. */
function useWalking(count: number): void {
  const cursor = useCursor();
  const last = count - 1;
  const walk = (step: 1 | -1) => {
    const at = cursor.get().chosen ?? (step === 1 ? -1 : count);
    if (count) cursor.choose(Math.min(last, Math.max(0, at + step)));
  };
  useKeys({
    ArrowRight: () => walk(1),
    ArrowLeft: () => walk(-1),
  });
}

function linkTo(by: string, token: number | null): string {
  const url = new URL(window.location.href);
  url.searchParams.set("by", by);
  if (token === null) url.searchParams.delete("token");
  else url.searchParams.set("token", String(token));
  return url.href;
}
