import { memo, useEffect, useRef } from "react";
import type { TokenValues } from "../api/types";
import type { Paint } from "./colours";
import { type Cursor, type Place, toEnds, useCursor } from "./cursor";
import { spoken, visible } from "./visible";

interface TokensProps {
  tokens: readonly TokenValues[];
  paints: readonly (Paint | null)[];
}

const NO_TOKENS = "The model ended its answer before the first token.";

function indexOf(target: EventTarget): number | null {
  const index =
    target instanceof HTMLElement ? target.closest<HTMLElement>("[data-i]")?.dataset.i : undefined;
  return index === undefined ? null : Number(index);
}

/** Moves the marks of the chosen and the hovered token; nothing else is drawn anew. */
function mark(list: HTMLElement, place: Place, before: Place): void {
  const token = (index: number | null) =>
    index === null ? null : list.querySelector<HTMLElement>(`[data-i="${index}"]`);
  token(before.chosen)?.setAttribute("aria-selected", "false");
  token(before.hovered)?.removeAttribute("data-hovered");
  token(place.hovered)?.setAttribute("data-hovered", "");
  const chosen = token(place.chosen);
  chosen?.setAttribute("aria-selected", "true");
  if (chosen) list.setAttribute("aria-activedescendant", chosen.id);
  else list.removeAttribute("aria-activedescendant");
  if (chosen && place.chosen !== before.chosen) reveal(list, chosen);
}

/** Scrolls the list alone: the page stays where its reader is. */
function reveal(list: HTMLElement, token: HTMLElement): void {
  const margin = 24;
  const top = token.offsetTop - margin;
  const bottom = token.offsetTop + token.offsetHeight + margin;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (bottom > list.scrollTop + list.clientHeight) list.scrollTop = bottom - list.clientHeight;
}

function follow(list: HTMLElement, cursor: Cursor): () => void {
  const place = cursor.get();
  mark(list, place, { chosen: null, hovered: null });
  if (place.chosen !== null) {
    // A link leads to the token, wherever on the page it is.
    list.querySelector(`[data-i="${place.chosen}"]`)?.scrollIntoView({ block: "nearest" });
  }
  return cursor.listen((now, before) => mark(list, now, before));
}

/** One handler for all tokens; a list box, whose arrow keys the reader handles. */
export const Tokens = memo(function Tokens({ tokens, paints }: TokensProps) {
  const cursor = useCursor();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => (list.current ? follow(list.current, cursor) : undefined), [cursor]);
  if (!tokens.length) return <p className="p-3 text-muted">{NO_TOKENS}</p>;
  return (
    <div
      ref={list}
      role="listbox"
      aria-label="Tokens of the completion; arrow keys move"
      tabIndex={0}
      data-testid="tokens"
      onKeyDown={(event) => toEnds(event, cursor, tokens.length)}
      onPointerOver={(event) => cursor.hover(indexOf(event.target))}
      onPointerLeave={() => cursor.hover(null)}
      onClick={(event) => {
        const index = indexOf(event.target);
        if (index !== null) cursor.choose(index);
      }}
      className="relative max-h-[560px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm leading-6 focus-visible:outline-offset-[-2px]"
    >
      {tokens.map((token, index) => (
        <Token key={index} index={index} text={token.text} paint={paints[index] ?? null} />
      ))}
    </div>
  );
});

interface TokenProps {
  index: number;
  text: string;
  paint: Paint | null;
}

const Token = memo(function Token({ index, text, paint }: TokenProps) {
  return (
    <span
      id={`token-${index}`}
      data-i={index}
      role="option"
      aria-selected={false}
      aria-label={spoken(text)}
      tabIndex={-1}
      style={paint ? { background: paint.background, color: paint.color } : undefined}
      className="cursor-pointer rounded-[2px] py-0.5 aria-selected:outline-2 aria-selected:outline-accent data-hovered:outline data-hovered:outline-accent"
    >
      {visible(text)}
    </span>
  );
});
