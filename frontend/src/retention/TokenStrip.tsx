import { memo, useMemo, useRef } from "react";
import type { Strip } from "../api/types";
import { useTheme } from "../lib/theme";
import { type Paint, paint, type Scale } from "../trajectories/colours";

interface TokenStripProps {
  id: string;
  label: string;
  strip: Strip;
  values: readonly number[];
  scale: Scale;
  selected: number | null;
  onSelect: (index: number) => void;
  onHover: (index: number | null) => void;
}

const indexOf = (target: EventTarget): number | null => {
  const found =
    target instanceof HTMLElement ? target.closest<HTMLElement>("[data-i]")?.dataset.i : undefined;
  return found === undefined ? null : Number(found);
};

/** An answer as coloured tokens; a list box, so that arrow keys move from token to token. */
export function TokenStrip(props: TokenStripProps) {
  const { id, strip, values, scale, selected, onSelect, onHover } = props;
  const theme = useTheme();
  const list = useRef<HTMLDivElement>(null);
  const pieces = strip.pieces ?? [];
  const paints = useMemo(
    () => values.map((value) => paint(value, scale, theme)),
    [values, scale, theme],
  );
  const onKeyDown = (event: React.KeyboardEvent) => {
    const last = pieces.length - 1;
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
    list.current?.querySelector(`[data-i="${target}"]`)?.scrollIntoView({ block: "nearest" });
  };
  return (
    <div
      ref={list}
      role="listbox"
      aria-label={`${props.label}; arrow keys move`}
      aria-activedescendant={selected === null ? undefined : `${id}-${selected}`}
      tabIndex={0}
      data-testid={`strip-${id}`}
      onKeyDown={onKeyDown}
      onFocus={() => selected === null && onSelect(0)}
      onPointerOver={(event) => onHover(indexOf(event.target))}
      onPointerLeave={() => onHover(null)}
      onClick={(event) => {
        const index = indexOf(event.target);
        if (index !== null) onSelect(index);
      }}
      className="max-h-[420px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm leading-6 focus-visible:outline-offset-[-2px]"
    >
      {pieces.map((piece, index) => (
        <Token
          key={index}
          id={`${id}-${index}`}
          index={index}
          text={piece}
          paint={paints[index] ?? null}
          selected={index === selected}
        />
      ))}
    </div>
  );
}

interface TokenProps {
  id: string;
  index: number;
  text: string;
  paint: Paint | null;
  selected: boolean;
}

const Token = memo(function Token({ id, index, text, paint, selected }: TokenProps) {
  return (
    <span
      id={id}
      data-i={index}
      role="option"
      aria-selected={selected}
      aria-label={text.trim() === "" ? blank(text) : undefined}
      tabIndex={-1}
      style={paint ? { background: paint.background, color: paint.color } : undefined}
      className="cursor-pointer rounded-[2px] py-0.5 hover:outline hover:outline-accent aria-selected:outline-2 aria-selected:outline-accent"
    >
      {text === "" ? "∅" : text.replaceAll("\n", "⏎\n")}
    </span>
  );
});

function blank(text: string): string {
  if (text === "") return "part of a character";
  return text.includes("\n") ? "line break" : "space";
}
