/** Numbers, times and sizes as people read them. What is not known shows as an en dash. */

export const UNKNOWN = "–";

type Maybe = number | null | undefined;

const known = (value: Maybe): value is number =>
  typeof value === "number" && Number.isFinite(value);

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

export function integer(value: Maybe): string {
  return known(value) ? grouped.format(value) : UNKNOWN;
}

/** Four significant digits; exponents only where the plain number would be unreadable. */
export function number(value: Maybe, digits = 4): string {
  if (!known(value)) return UNKNOWN;
  return digitsOf(value, digits).replaceAll("-", "\u2212");
}

function digitsOf(value: number, digits: number): string {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) {
    return value.toExponential(Math.max(0, digits - 2)).replace("e+", "e");
  }
  if (size >= 1000) return grouped.format(value);
  return value.toPrecision(digits);
}

/** A setting as one would type it: `2e-5` rather than `0.00002`. */
export function setting(value: number): string {
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);
}

/** Whole percents; a tenth where little is not nothing, and almost all is not all. */
export function percent(share: Maybe): string {
  if (!known(share)) return UNKNOWN;
  const value = share * 100;
  const fine = (value > 0 && value < 9.95) || (value > 99 && value < 99.95);
  return `${fine ? value.toFixed(1) : Math.round(value)} %`;
}

/** A span of time in its two largest units: `2 h 05 m`, `3 m 20 s`, `0.8 s`. */
export function duration(seconds: Maybe): string {
  if (!known(seconds) || seconds < 0) return UNKNOWN;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400)
    return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} m`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor((whole % 86_400) / 3600))} h`;
}

/** Time left, rounded to what an estimate can know. */
export function eta(seconds: Maybe): string {
  if (!known(seconds) || seconds < 0) return UNKNOWN;
  if (seconds < 10) return "a few seconds";
  if (seconds < 90) return `~${Math.max(10, Math.round(seconds / 10) * 10)} s`;
  if (seconds < 5400) return `~${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `~${(seconds / 3600).toFixed(1)} h`;
  return `~${(seconds / 86_400).toFixed(1)} d`;
}

/** A span that runs down, in whole seconds: `0:42`, `2:05`, `1:02:05`; never below `0:00`. */
export function countdown(seconds: number): string {
  const left = Math.max(0, Math.ceil(seconds));
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.floor(left / 60);
  const clock = `${minutes % 60}:${two(left % 60)}`;
  if (minutes < 60) return clock;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(left % 60)}`;
}

/** A span that grows, as one would say it: `8 s`, `1 min`, `2 h`. */
export function roughly(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

export const epochIso = (seconds: number): string => new Date(seconds * 1000).toISOString();

export function bytes(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let size = value;
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${unit === 0 || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit]}`;
}

export function relativeTime(iso: string | null | undefined, now: number): string {
  if (!iso) return UNKNOWN;
  const seconds = (now - Date.parse(iso)) / 1000;
  if (!Number.isFinite(seconds)) return UNKNOWN;
  if (seconds < 45) return "just now";
  if (seconds < 5400) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

export function absoluteTime(iso: string | null | undefined): string {
  if (!iso) return UNKNOWN;
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return UNKNOWN;
  return date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

export function clockTime(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toLocaleTimeString(undefined, { hour12: false });
}

/** The end of a path tells most; the whole of it belongs in a title. */
export function baseName(path: string): string {
  const parts = path.split(/[\\/]/).filter(Boolean);
  return parts.at(-1) ?? path;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${integer(count)} ${count === 1 ? one : many}`;
}

/** A unit as it stands behind a value: 1 epoch, 2 epochs. */
export function unitOf(value: unknown, unit: string): string {
  return value === 1 ? unit.replace(/(?<=ss)es$|(?<!s)s$/, "") : unit;
}
