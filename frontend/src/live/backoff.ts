const FIRST_MS = 1000;
const LONGEST_MS = 15_000;

/**
 * Pauses between attempts to connect: each twice as long as the one before. Each is shortened by
 * chance, up to a half, so that pages which lost their server together do not come back together.
 */
export class Backoff {
  private failures = 0;

  next(): number {
    const pause = Math.min(FIRST_MS * 2 ** this.failures, LONGEST_MS);
    this.failures += 1;
    return pause * (1 - Math.random() / 2);
  }

  reset(): void {
    this.failures = 0;
  }
}
