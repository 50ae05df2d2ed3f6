import { ChevronLeft, ChevronRight } from "lucide-react";
import { useMemo, useState } from "react";
import type { Strip } from "../api/types";
import { IconButton, Switch } from "../components/ui";
import { number } from "../lib/format";
import { useKeys } from "../lib/hooks";
import { useTheme } from "../lib/theme";
import { gradient, type Scale } from "../trajectories/colours";
import { AnswerPanel } from "./AnswerPanel";
import type { ReaderProps } from "./ExampleReader";
import type { Example } from "./queries";
import { TokenCard } from "./TokenCard";
import { COLOURING, COLOURINGS, presentIn, ranked, sharedScale } from "./tokens";

type Side = "base" | "tuned";
const WHOSE: Record<Side, string> = { base: "the base's answer", tuned: "the model's answer" };

interface AnswersProps {
  item: Example;
  search: ReaderProps["search"];
  onSearch: ReaderProps["onSearch"];
}

/** Both answers as tokens on one scale, and the card of the token under pointer or cursor. */
export function Answers({ item, search, onSearch }: AnswersProps) {
  const [hovered, setHovered] = useState<{ side: Side; index: number } | null>(null);
  const kept = item.retention;
  const strips = useMemo(
    () => [kept?.reverse, kept?.forward].filter((one): one is Strip => Boolean(one)),
    [kept],
  );
  const options = presentIn(strips);
  const by = search.colour && options.includes(search.colour) ? search.colour : "jsd";
  const scale = useMemo(
    () => sharedScale(strips, by, search.full ?? false),
    [strips, by, search.full],
  );
  const of: Record<Side, Strip | null> = {
    base: kept?.reverse ?? null,
    tuned: kept?.forward ?? null,
  };
  const wanted: Side = search.side ?? "tuned";
  const side: Side = of[wanted] ? wanted : wanted === "base" ? "tuned" : "base";
  const strip = of[side];
  const values = useMemo(() => (strip && COLOURING[by].of(strip)) ?? [], [strip, by]);
  const order = useMemo(() => ranked(values), [values]);
  const token = search.token !== undefined && search.token < values.length ? search.token : null;

  const select = (which: Side, index: number | undefined) => {
    onSearch({ side: which === "tuned" ? undefined : which, token: index });
    if (index !== undefined) {
      document.getElementById(`${which}-${index}`)?.scrollIntoView({ block: "nearest" });
    }
  };
  const jump = (step: 1 | -1) => {
    const at = token === null ? -1 : order.indexOf(token);
    select(side, order[at + step] ?? order[step === 1 ? 0 : order.length - 1]);
  };
  const walk = (step: 1 | -1) => {
    const from = token ?? (step === 1 ? -1 : values.length);
    select(side, Math.min(values.length - 1, Math.max(0, from + step)));
  };
  const turn = () => {
    const other: Side = side === "tuned" ? "base" : "tuned";
    if (of[other]) select(other, 0);
  };
  useKeys({
    d: () => jump(1),
    D: () => jump(-1),
    s: turn,
    ArrowRight: () => walk(1),
    ArrowLeft: () => walk(-1),
  });
  if (!kept) {
    return <p className="text-muted">This answer was not compared with the base.</p>;
  }
  const shown = hovered ?? { side, index: token };
  const shownStrip = of[shown.side];
  const shownValues = (shownStrip && COLOURING[by].of(shownStrip)) ?? [];
  const panel = (which: Side) => (
    <AnswerPanel
      side={which}
      item={item}
      strip={of[which]}
      by={by}
      scale={scale}
      selected={which === side ? token : null}
      onSelect={(index) => select(which, index)}
      onHover={(index) => setHovered(index === null ? null : { side: which, index })}
    />
  );
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 text-sm">
        <label className="flex items-center gap-2">
          <span className="text-muted">Tokens coloured by</span>
          <select
            value={by}
            onChange={(event) => {
              const next = COLOURINGS.find((name) => name === event.target.value);
              onSearch({ colour: next === "jsd" ? undefined : next });
            }}
            className="control h-7!"
          >
            {options.map((name) => (
              <option key={name} value={name}>
                {COLOURING[name].label}
              </option>
            ))}
          </select>
        </label>
        <Legend scale={scale} />
        {by === "jsd" && (
          <Switch
            checked={search.full ?? false}
            onChange={(full) => onSearch({ full: full || undefined })}
          >
            Scale to ln 2
          </Switch>
        )}
        <span className="ml-auto flex items-center gap-0.5">
          <IconButton label="Previous token by size (Shift D)" onClick={() => jump(-1)}>
            <ChevronLeft className="size-4" />
          </IconButton>
          <IconButton label="Next token by size (d)" onClick={() => jump(1)}>
            <ChevronRight className="size-4" />
          </IconButton>
        </span>
      </div>
      <div className="grid items-start gap-4 md:grid-cols-2 xl:grid-cols-[minmax(0,1fr)_minmax(0,1fr)_288px]">
        {panel("base")}
        {panel("tuned")}
        <div className="min-w-0 md:col-span-2 xl:sticky xl:top-16 xl:col-span-1">
          {shownStrip && (
            <TokenCard
              whose={WHOSE[shown.side]}
              strip={shownStrip}
              index={shown.index}
              rank={shown.index === null ? null : ranked(shownValues).indexOf(shown.index) + 1}
              by={COLOURING[by].label}
            />
          )}
        </div>
      </div>
      <p className="text-faint text-sm">{COLOURING[by].help}</p>
    </div>
  );
}

function Legend({ scale }: { scale: Scale }) {
  const theme = useTheme();
  const middle = (scale.low + scale.high) / 2;
  return (
    <span
      className="flex items-center gap-2 text-faint text-xs tabular-nums"
      title="Values beyond the ends take the end's colour"
    >
      <span>
        {scale.signed && "≤ "}
        {number(scale.low, 3)}
      </span>
      <span
        role="img"
        aria-label={`Colours from ${number(scale.low, 3)} over ${number(middle, 3)} to ${number(scale.high, 3)} nats`}
        className="h-2.5 w-28 rounded-[2px] border border-line-strong"
        style={{ background: gradient(scale.signed, theme) }}
      />
      <span>≥ {number(scale.high, 3)} nats</span>
    </span>
  );
}
