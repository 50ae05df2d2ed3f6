import type { Alarm } from "../api/types";

/** One alarm of an attempt, however often it rang. */
export interface Ringing {
  /** The latest time. */
  alarm: Alarm;
  first: number;
  count: number;
}

/** Errors before warnings, latest first; what rang several times stands where it rang last. */
export function ringing(alarms: readonly Alarm[]): Ringing[] {
  const found = new Map<string, Ringing>();
  for (const alarm of alarms) {
    const key = `${alarm.attempt} ${alarm.code}`;
    const known = found.get(key);
    found.set(
      key,
      known
        ? { ...known, first: Math.min(known.first, alarm.step), count: known.count + 1 }
        : { alarm, first: alarm.step, count: 1 },
    );
  }
  const rank = ({ alarm }: Ringing) => (alarm.severity === "error" ? 0 : 1);
  return [...found.values()].sort((a, b) => rank(a) - rank(b));
}

/** `step 7`, or `steps 7–40, 3 times`. */
export function when({ alarm, first, count }: Ringing): string {
  if (count === 1) return `step ${alarm.step}`;
  const steps = first === alarm.step ? `step ${first}` : `steps ${first}–${alarm.step}`;
  return `${steps}, ${count} times`;
}
