/** The difference of two texts by words, with what they share folded away. */
import { diffWordsWithSpace } from "diff";

export interface Piece {
  kind: "same" | "removed" | "added" | "folded";
  text: string;
}

/** Shared text longer than this is folded but for its ends. */
const LONG = 240;
const KEPT = 80;
/** Texts that share nothing would be compared for seconds. */
const PATIENCE_MS = 1500;

/** Whole words at the start (or end) of a text, about as many signs. */
function end(text: string, size: number, last: boolean): string {
  if (last) return text.slice(text.length - size).replace(/^\S*\s/, "");
  return text.slice(0, size).replace(/\s\S*$/, "");
}

function fold(text: string, first: boolean, last: boolean): Piece[] {
  if (text.length <= LONG) return [{ kind: "same", text }];
  const head = first ? "" : end(text, KEPT, false);
  const tail = last ? "" : end(text, KEPT, true);
  const pieces: Piece[] = [
    { kind: "same", text: head },
    { kind: "folded", text: text.slice(head.length, text.length - tail.length) },
    { kind: "same", text: tail },
  ];
  return pieces.filter((piece) => piece.text !== "");
}

interface Run {
  removed: string;
  added: string;
  same: string;
}

/** Shared text shorter than this, between two changes, would only tear a sentence apart. */
const SHORT = 4;

/** Changes with the shared text after each; a scrap of that belongs to the changes around it. */
function runsOf(before: string, after: string): Run[] {
  const changes = diffWordsWithSpace(before, after, { timeout: PATIENCE_MS }) ?? [
    { value: before, removed: true, added: false },
    { value: after, removed: false, added: true },
  ];
  const runs: Run[] = [{ removed: "", added: "", same: "" }];
  changes.forEach(({ value, added, removed }, i) => {
    let run = runs.at(-1) as Run;
    if (run.same && (added || removed)) {
      run = { removed: "", added: "", same: "" };
      runs.push(run);
    }
    const between = i > 0 && i < changes.length - 1;
    if (added) run.added += value;
    else if (removed) run.removed += value;
    else if (between && value.trim().length < SHORT && !value.includes("\n")) {
      run.removed += value;
      run.added += value;
    } else run.same += value;
  });
  return runs;
}

export function compared(before: string, after: string): Piece[] {
  const runs = runsOf(before, after);
  return runs.flatMap(({ removed, added, same }, i): Piece[] => {
    const first = i === 0 && !removed && !added;
    const pieces: Piece[] = [
      { kind: "removed", text: removed },
      { kind: "added", text: added },
      ...fold(same, first, i === runs.length - 1),
    ];
    return pieces.filter((piece) => piece.text !== "");
  });
}

export const words = (text: string): number => text.split(/\s+/).filter(Boolean).length;
