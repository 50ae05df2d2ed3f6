/** URL search parameters: plain strings on the wire, checked where a page reads them. */

export type RawSearch = Record<string, unknown>;

export function parseSearch(text: string): RawSearch {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: RawSearch): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "") continue;
    params.set(key, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

export function text(raw: unknown): string | undefined {
  return typeof raw === "string" && raw !== "" ? raw : undefined;
}

export function oneOf<T extends string>(raw: unknown, allowed: readonly T[]): T | undefined {
  return allowed.find((item) => item === raw);
}

export function manyOf<T extends string>(raw: unknown, allowed: readonly T[]): string | undefined {
  if (typeof raw !== "string") return undefined;
  const kept = raw.split(",").filter((item) => allowed.some((a) => a === item));
  return kept.length ? kept.join(",") : undefined;
}

/** Several texts in one parameter: `a;b`, a semicolon inside one as `\\;`. */
export function joinList(items: readonly string[]): string | undefined {
  const escaped = items.map((item) => item.replace(/[\\;]/g, (sign) => `\\${sign}`));
  return escaped.length ? escaped.join(";") : undefined;
}

export function splitList(text: string | undefined): string[] {
  if (!text) return [];
  const items = [""];
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === ";") items.push("");
    else {
      if (text[i] === "\\") i += 1;
      items[items.length - 1] += text[i] ?? "";
    }
  }
  return items;
}

export function numeric(raw: unknown, low: number, high: number): number | undefined {
  if (raw === undefined || raw === null || raw === "") return undefined;
  const value = Number(raw);
  return Number.isFinite(value) && value >= low && value <= high ? value : undefined;
}

export function whole(
  raw: unknown,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): number | undefined {
  const value = numeric(raw, low, high);
  return value !== undefined && Number.isInteger(value) ? value : undefined;
}

export function flag(raw: unknown): true | undefined {
  return raw === "true" || raw === true || raw === "1" ? true : undefined;
}

/** Leaves out what is undefined, so that optional keys stay absent. */
export type Defined<T> = { [K in keyof T]?: T[K] | undefined };

export function defined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries) as Defined<T>;
}
