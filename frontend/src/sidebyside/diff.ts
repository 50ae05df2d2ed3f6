/** Which words of a text another one has too. */

export interface Piece {
  text: string;
  /** Whether the other text has it at this place. */
  common: boolean;
}

/** Beyond so many pairs of words an exact comparison would hold the page up. */
const MOST_PAIRS = 4_000_000;

/** Words with the space after them, so that put together they are the text. */
export function words(text: string): string[] {
  return text.match(/\s*\S+\s*/g)?.flatMap((part) => part.match(/^\s+|\S+\s*/g) ?? []) ?? [];
}

const bare = (word: string): string => word.trim();

/** `text` in pieces that `against` has (longest common subsequence of words) or lacks. */
export function diff(text: string, against: string): Piece[] {
  const mine = words(text);
  const theirs = words(against);
  const shared = commonWords(mine.map(bare), theirs.map(bare));
  const pieces: Piece[] = [];
  mine.forEach((word, i) => {
    const common = shared.has(i) || bare(word) === "";
    const last = pieces.at(-1);
    if (last?.common === common) last.text += word;
    else pieces.push({ text: word, common });
  });
  return pieces;
}

/** Indices of the words of `a` that belong to a longest common subsequence with `b`. */
function commonWords(a: readonly string[], b: readonly string[]): Set<number> {
  const found = new Set<number>();
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) found.add(start++);
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA -= 1;
    endB -= 1;
    found.add(endA);
  }
  const rows = endA - start;
  const columns = endB - start;
  if (rows * columns > MOST_PAIRS) return found;
  const width = columns + 1;
  const longest = new Uint16Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      longest[i * width + j] =
        a[start + i] === b[start + j]
          ? (longest[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  let i = 0;
  let j = 0;
  while (i < rows && j < columns) {
    if (a[start + i] === b[start + j]) {
      found.add(start + i);
      i += 1;
      j += 1;
    } else if ((longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0)) i += 1;
    else j += 1;
  }
  return found;
}

/** Share of the words of both texts that they have in common. */
export function likeness(text: string, against: string): number {
  const mine = words(text).map(bare).filter(Boolean);
  const theirs = words(against).map(bare).filter(Boolean);
  if (mine.length + theirs.length === 0) return 1;
  return (2 * commonWords(mine, theirs).size) / (mine.length + theirs.length);
}
