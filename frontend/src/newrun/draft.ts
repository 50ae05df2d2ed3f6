/** What stands in the form, kept for this tab over reloads and ways to other pages. */
import type { Grid } from "./grid";
import type { FormValues } from "./values";

export interface Draft {
  /** The preset that it stands on. */
  preset: string | null;
  name: string;
  projectId: string;
  values: FormValues;
  grid: Grid;
  /** A text with mistakes, which the fields cannot hold. */
  text: string | null;
}

const PREFIX = "unisd:new-run:";

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The draft of a form; an address that names another preset begins anew. */
export function loadDraft(key: string, preset: string | null): Draft | null {
  try {
    const draft: unknown = JSON.parse(sessionStorage.getItem(PREFIX + key) ?? "null");
    const whole = isRecord(draft) && isRecord(draft.values) && isRecord(draft.grid);
    const same = preset === null || (whole && draft.preset === preset);
    return whole && same ? (draft as unknown as Draft) : null;
  } catch {
    return null;
  }
}

/** A browser that keeps nothing must not break the form. */
export function saveDraft(key: string, draft: Draft | null): void {
  try {
    if (draft) sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
    else sessionStorage.removeItem(PREFIX + key);
  } catch {
    return;
  }
}
