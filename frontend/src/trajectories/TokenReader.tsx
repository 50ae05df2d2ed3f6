import { ChevronLeft, ChevronRight } from "lucide-react";
import { type ReactNode, useMemo, useRef, useState } from "react";
import type { TrajectoryDetail } from "../api/types";
import { IconButton } from "../components/ui";
import { number, UNKNOWN } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useTheme } from "../lib/theme";
import { QUANTITIES, type Quantity } from "../searches";
import { gradient, LOOKS, paint, presentIn, type Scale, scaleOf } from "./colours";
import { TokenCard } from "./TokenCard";
import { Tokens } from "./Tokens";
import type { TrajectoriesProps } from "./TrajectoriesTab";

interface TokenReaderProps {
  item: TrajectoryDetail;
  by: Quantity;
  token: number | null;
  onSearch: TrajectoriesProps["onSearch"];
  /** The other texts, under the completion. */
  children: ReactNode;
}

/** The completion as coloured tokens beside the card of the one under pointer or cursor. */
export function TokenReader({ item, by: wanted, token, onSearch, children }: TokenReaderProps) {
  const theme = useTheme();
  const [hovered, setHovered] = useState<number | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const tokens = item.token_values;
  const options = useMemo(() => presentIn(tokens), [tokens]);
  const by = options.includes(wanted) ? wanted : (options[0] ?? "divergence");
  const look = LOOKS[by];
  const values = useMemo(() => tokens.map(look.of), [tokens, look]);
  const scale = useMemo(() => scaleOf(values, look), [values, look]);
  const paints = useMemo(
    () => values.map((value) => paint(value, scale, theme)),
    [values, scale, theme],
  );
  const ranked = useMemo(() => rank(values), [values]);

  const chosen = token !== null && token < tokens.length ? token : null;
  const shown = hovered ?? chosen;
  const select = (index: number | null) => {
    onSearch({ token: index ?? undefined });
    if (index !== null) {
      list.current?.querySelector(`[data-i="${index}"]`)?.scrollIntoView({ block: "nearest" });
    }
  };
  const jump = (step: 1 | -1) => {
    const at = chosen === null ? -1 : ranked.indexOf(chosen);
    const next = ranked[at + step] ?? ranked[step === 1 ? 0 : ranked.length - 1];
    if (next !== undefined) select(next);
  };
  const walk = (step: 1 | -1) => {
    const at = chosen ?? (step === 1 ? -1 : tokens.length);
    select(Math.min(tokens.length - 1, Math.max(0, at + step)));
  };
  // The tokens walk by themselves while they have the focus; after a click elsewhere, so.
  useKeys({
    d: () => jump(1),
    D: () => jump(-1),
    ArrowRight: () => walk(1),
    ArrowLeft: () => walk(-1),
  });
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_336px] lg:grid-rows-[auto_1fr]">
      <section className="panel min-w-0 overflow-hidden">
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
          <Legend scale={scale} background={gradient(look.signed, theme)} />
          <span className="ml-auto flex items-center gap-0.5">
            <IconButton label={`Token with more: ${look.label} (Shift D)`} onClick={() => jump(-1)}>
              <ChevronLeft className="size-4" />
            </IconButton>
            <span className="min-w-24 text-center text-muted text-sm tabular-nums">
              rank {chosen === null ? UNKNOWN : ranked.indexOf(chosen) + 1} of {ranked.length}
            </span>
            <IconButton label={`Token with less: ${look.label} (d)`} onClick={() => jump(1)}>
              <ChevronRight className="size-4" />
            </IconButton>
          </span>
        </div>
        <Tokens
          ref={list}
          tokens={tokens}
          paints={paints}
          selected={chosen}
          onSelect={select}
          onHover={setHovered}
        />
        <p className="border-line border-t px-3 py-2 text-faint text-sm">{look.help}</p>
      </section>
      <div className="min-w-0 self-stretch lg:col-start-2 lg:row-span-2 lg:row-start-1">
        <TokenCard
          token={shown === null ? undefined : tokens[shown]}
          index={shown}
          count={tokens.length}
          rank={shown === null ? null : ranked.indexOf(shown) + 1}
          by={look.label}
        />
      </div>
      <div className="flex min-w-0 flex-col gap-4">{children}</div>
    </div>
  );
}

/** Indices from the largest magnitude to the smallest. */
function rank(values: readonly (number | null)[]): number[] {
  const size = (index: number) => Math.abs(values[index] ?? 0);
  return values
    .map((_, index) => index)
    .filter((index) => values[index] !== null)
    .sort((a, b) => size(b) - size(a) || a - b);
}

function Legend({ scale, background }: { scale: Scale; background: string }) {
  const middle = (scale.low + scale.high) / 2;
  return (
    <div
      className="flex items-center gap-2 text-faint text-xs tabular-nums"
      title="Values beyond the ends take the end's colour"
    >
      <span>
        {scale.signed && "≤ "}
        {number(scale.low, 2)}
      </span>
      <span
        role="img"
        aria-label={`Colours from ${number(scale.low, 2)} over ${number(middle, 2)} to ${number(scale.high, 2)}`}
        className="h-2.5 w-28 rounded-[2px] border border-line-strong"
        style={{ background }}
      />
      <span>≥ {number(scale.high, 2)}</span>
    </div>
  );
}
