import { useMemo, useState } from "react";
import { plural } from "../lib/format";
import { compared, type Piece, words } from "./folding";

interface WordDiffProps {
  before: string;
  after: string;
}

/** Two texts in one: what only the first has is struck out, what only the second has underlined. */
export default function WordDiff({ before, after }: WordDiffProps) {
  const pieces = useMemo(() => compared(before, after), [before, after]);
  if (before === after) return <p className="p-3 text-muted">They are the same.</p>;
  return (
    <section
      tabIndex={0}
      aria-label="Difference"
      className="max-h-[480px] overflow-y-auto whitespace-pre-wrap break-words p-3 font-mono text-sm"
    >
      {pieces.map((piece, i) => (
        <Part key={`${before.length} ${after.length} ${i}`} piece={piece} />
      ))}
    </section>
  );
}

function Part({ piece: { kind, text } }: { piece: Piece }) {
  const [open, setOpen] = useState(false);
  if (kind === "removed") {
    return <del className="rounded-[2px] bg-bad-soft text-bad decoration-1">{text}</del>;
  }
  if (kind === "added") {
    return <ins className="rounded-[2px] bg-ok-soft text-ok underline decoration-1">{text}</ins>;
  }
  if (kind === "same" || open) return <span className="text-muted">{text}</span>;
  return (
    <button
      type="button"
      onClick={() => setOpen(true)}
      className="mx-1 rounded-control border border-line-strong bg-sunken px-1.5 font-sans text-muted text-xs hover:bg-hover hover:text-ink"
    >
      … {plural(words(text), "word")} the same …
    </button>
  );
}
