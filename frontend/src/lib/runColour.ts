/** The colour of a run: the same on every page, for as long as the run exists. */

/** As many as `--run-1` … in tokens.css. */
export const RUN_COLOURS = 12;
const DASHES = ["", "6 3", "2 2"] as const;

export interface RunStyle {
  /** For CSS; `var(--run-n)`. */
  colour: string;
  /** 1 to `RUN_COLOURS`. */
  slot: number;
  /** As in SVG's `stroke-dasharray`; tells runs apart that share a colour. */
  dash: string;
}

/** FNV-1a: short, and spreads identifiers that differ in one character. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return value;
}

export const runSlot = (runId: string): number => (hash(runId) % RUN_COLOURS) + 1;

export const runColour = (runId: string): string => `var(--run-${runSlot(runId)})`;

/** Styles of runs that are shown together: whoever comes second with a colour gets dashes. */
export function runStyles(runIds: readonly string[]): Record<string, RunStyle> {
  const taken = new Map<number, number>();
  const found: Record<string, RunStyle> = {};
  for (const id of runIds) {
    const slot = runSlot(id);
    const before = taken.get(slot) ?? 0;
    taken.set(slot, before + 1);
    found[id] = { colour: `var(--run-${slot})`, slot, dash: DASHES[before % DASHES.length] ?? "" };
  }
  return found;
}
