/** What this browser remembers of its user's taste. Works without storage too. */

export function recall(key: string): string | null {
  try {
    return window.localStorage.getItem(`unisd.${key}`);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    window.localStorage.setItem(`unisd.${key}`, value);
  } catch {
    // Private windows may refuse; the choice then lasts as long as the page.
  }
}
