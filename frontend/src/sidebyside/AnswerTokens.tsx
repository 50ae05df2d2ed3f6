import { useQuery } from "@tanstack/react-query";
import { memo, useMemo, useState } from "react";
import { Failure } from "../components/states";
import { Skeleton } from "../components/ui";
import { integer, number } from "../lib/format";
import { useTheme } from "../lib/theme";
import { gradient, type Paint, paint, scaleOf } from "../trajectories/colours";
import { quoted } from "../trajectories/visible";
import { type AnswerToken, tokensQuery } from "./api";

interface AnswerTokensProps {
  comparisonId: string;
  column: number;
  sample: number;
  selected: number | null;
  onSelect: (token: number | null) => void;
}

/** An answer token by token, coloured by how little its model expected each. */
export function AnswerTokens(props: AnswerTokensProps) {
  const found = useQuery(tokensQuery(props.comparisonId, props.column, props.sample));
  const theme = useTheme();
  const [hovered, setHovered] = useState<number | null>(null);
  const tokens = found.data?.items ?? [];
  const surprise = useMemo(() => tokens.map((token) => Math.max(0, -token.logprob)), [tokens]);
  const scale = useMemo(() => scaleOf(surprise, { signed: false }), [surprise]);
  if (found.error) return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton className="m-3 h-[364px]" />;
  const last = tokens.length - 1;
  const chosen = props.selected !== null && props.selected <= last ? props.selected : null;
  const shown = hovered ?? chosen;
  const onKeyDown = (event: React.KeyboardEvent) => {
    const at = chosen ?? -1;
    const target = {
      ArrowRight: Math.min(last, at + 1),
      ArrowLeft: Math.max(0, at - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    props.onSelect(target);
  };
  const prefix = `token-${props.column}`;
  return (
    <>
      <div
        role="listbox"
        aria-label={`Tokens of column ${props.column + 1}; arrow keys move`}
        aria-activedescendant={chosen === null ? undefined : `${prefix}-${chosen}`}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerOver={(event) => setHovered(indexOf(event.target))}
        onPointerLeave={() => setHovered(null)}
        onClick={(event) => {
          const index = indexOf(event.target);
          if (index !== null) props.onSelect(index);
        }}
        className="max-h-[480px] min-h-40 overflow-y-auto whitespace-pre-wrap break-words px-3 py-2.5 font-mono text-sm leading-6 focus-visible:outline-offset-[-2px]"
      >
        {tokens.map((token, index) => (
          <Token
            key={index}
            id={`${prefix}-${index}`}
            index={index}
            piece={token.piece}
            look={paint(surprise[index] ?? null, scale, theme)}
            selected={index === chosen}
          />
        ))}
      </div>
      <div className="flex items-center gap-2 px-3 pb-2 text-faint text-xs tabular-nums">
        <span>0</span>
        <span
          role="img"
          aria-label={`Colours from 0 to ${number(scale.high, 2)} nats of surprise`}
          className="h-2.5 w-24 rounded-[2px] border border-line-strong"
          style={{ background: gradient(scale, theme) }}
        />
        <span>≥ {number(scale.high, 2)} nats of surprise</span>
      </div>
      <Card
        token={shown === null ? undefined : tokens[shown]}
        index={shown}
        count={tokens.length}
      />
    </>
  );
}

function indexOf(target: EventTarget): number | null {
  const index =
    target instanceof HTMLElement ? target.closest<HTMLElement>("[data-i]")?.dataset.i : undefined;
  return index === undefined ? null : Number(index);
}

interface TokenProps {
  id: string;
  index: number;
  piece: string;
  look: Paint | null;
  selected: boolean;
}

const Token = memo(function Token({ id, index, piece, look, selected }: TokenProps) {
  return (
    <span
      id={id}
      data-i={index}
      role="option"
      aria-selected={selected}
      aria-label={/[\p{L}\p{N}\p{P}\p{S}]/u.test(piece) ? undefined : `token ${index + 1}`}
      tabIndex={-1}
      style={look ? { background: look.background, color: look.color } : undefined}
      className="cursor-pointer rounded-[2px] py-0.5 hover:outline hover:outline-accent aria-selected:outline-2 aria-selected:outline-accent"
    >
      {piece === "" ? "∅" : piece.replaceAll("\n", "⏎\n")}
    </span>
  );
});

interface CardProps {
  token: AnswerToken | undefined;
  index: number | null;
  count: number;
}

/** What the column's model thought of a token, and what else could have stood there. */
function Card({ token, index, count }: CardProps) {
  if (!token || index === null) {
    return (
      <p className="border-line border-t px-3 py-2 text-muted text-sm">
        Point at a token, or move with the arrow keys.
      </p>
    );
  }
  return (
    <div
      data-testid="token-card"
      aria-live="polite"
      className="border-line border-t px-3 py-2 text-sm"
    >
      <p className="flex justify-between gap-3">
        <code className="break-all font-medium font-mono">{quoted(token.piece)}</code>
        <span className="shrink-0 text-muted tabular-nums">
          {number(token.logprob, 3)} nats, {percent(token.logprob)}
        </span>
      </p>
      <p className="text-faint text-xs tabular-nums">
        token {integer(index + 1)} of {integer(count)}
      </p>
      <ol aria-label="Likeliest tokens" className="mt-2 flex flex-col gap-1.5">
        {token.top.map((one) => (
          <li key={one.id}>
            <div className="flex justify-between gap-2">
              <code
                className={`truncate font-mono ${one.id === token.id ? "font-semibold" : "text-muted"}`}
              >
                {quoted(one.piece)}
              </code>
              <span className="shrink-0 text-muted text-xs tabular-nums">
                {number(one.logprob, 3)} nats, {percent(one.logprob)}
              </span>
            </div>
            <div aria-hidden="true" className="mt-0.5 h-[3px] rounded-full bg-line">
              <div
                className="h-full rounded-full bg-(--series-1)"
                style={{ width: `${Math.min(1, Math.exp(one.logprob)) * 100}%` }}
              />
            </div>
          </li>
        ))}
      </ol>
    </div>
  );
}

function percent(logprob: number): string {
  const share = Math.exp(logprob);
  if (share >= 0.0995) return `${Math.round(share * 100)} %`;
  return share >= 0.001 ? `${(share * 100).toFixed(1)} %` : "< 0.1 %";
}
