import { memo, type Ref } from "react";
import type { TokenValues } from "../api/types";
import type { Paint } from "./colours";

interface TokensProps {
  ref: Ref<HTMLDivElement>;
  tokens: readonly TokenValues[];
  paints: readonly (Paint | null)[];
  selected: number | null;
  onSelect: (index: number | null) => void;
  onHover: (index: number | null) => void;
}

function indexOf(target: EventTarget): number | null {
  const index =
    target instanceof HTMLElement ? target.closest<HTMLElement>("[data-i]")?.dataset.i : undefined;
  return index === undefined ? null : Number(index);
}

/** One handler for all tokens; a list box, so that arrow keys move from token to token. */
export function Tokens({ ref, tokens, paints, selected, onSelect, onHover }: TokensProps) {
  const onKeyDown = (event: React.KeyboardEvent) => {
    const last = tokens.length - 1;
    const from = selected ?? -1;
    const target = {
      ArrowRight: Math.min(last, from + 1),
      ArrowLeft: Math.max(0, from - 1),
      Home: 0,
      End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    onSelect(target);
  };
  return (
    <div
      ref={ref}
      role="listbox"
      aria-label="Tokens of the completion; arrow keys move"
      aria-activedescendant={selected === null ? undefined : `token-${selected}`}
      tabIndex={0}
      data-testid="tokens"
      onKeyDown={onKeyDown}
      onPointerOver={(event) => onHover(indexOf(event.target))}
      onPointerLeave={() => onHover(null)}
      onClick={(event) => {
        const index = indexOf(event.target);
        if (index !== null) onSelect(index);
      }}
      className="max-h-[560px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm leading-6 focus-visible:outline-offset-[-2px]"
    >
      {tokens.map((token, index) => (
        <Token
          key={index}
          index={index}
          text={token.text}
          paint={paints[index] ?? null}
          selected={index === selected}
        />
      ))}
    </div>
  );
}

interface TokenProps {
  index: number;
  text: string;
  paint: Paint | null;
  selected: boolean;
}

const Token = memo(function Token({ index, text, paint, selected }: TokenProps) {
  return (
    <span
      id={`token-${index}`}
      data-i={index}
      role="option"
      aria-selected={selected}
      aria-label={text.trim() === "" ? blank(text) : undefined}
      tabIndex={-1}
      style={paint ? { background: paint.background, color: paint.color } : undefined}
      className="cursor-pointer rounded-[2px] py-0.5 hover:outline hover:outline-accent aria-selected:outline-2 aria-selected:outline-accent"
    >
      {visible(text)}
    </span>
  );
});

/** A line break is a token that one must be able to point at. */
function visible(text: string): string {
  if (text === "") return "∅";
  return text.replaceAll("\n", "⏎\n");
}

function blank(text: string): string {
  if (text === "") return "empty token";
  return text.includes("\n") ? "line break" : "space";
}
