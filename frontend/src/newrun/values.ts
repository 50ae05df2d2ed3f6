/** What stands in the form's fields, and the configuration that it spells. */
import type { Problem } from "../api/types";
import { setting } from "../lib/format";
import type { FieldModel } from "./schema";

/** Text as typed, or a switch's position; by dotted path. */
export type FormValues = Record<string, string | boolean>;
export type Config = Record<string, unknown>;

export function readPath(config: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (node, key) =>
        typeof node === "object" && node !== null ? (node as Config)[key] : undefined,
      config,
    );
}

export function toText(field: FieldModel, value: unknown): string | boolean {
  if (field.kind === "boolean") return value === true;
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "number") return setting(value);
  return String(value);
}

/** The value that a field's text means. What cannot be read goes as it is: the server answers. */
export function fromText(field: FieldModel, text: string | boolean): unknown {
  if (typeof text === "boolean") return text;
  const trimmed = text.trim();
  if (field.kind === "list") return trimmed.split(/[,\s]+/).filter(Boolean);
  if (trimmed === "" && field.nullable) return null;
  if (field.kind === "integer" || field.kind === "number") {
    const value = Number(trimmed);
    return trimmed !== "" && Number.isFinite(value) ? value : text;
  }
  return text;
}

export function valuesOf(fields: readonly FieldModel[], config: unknown): FormValues {
  return Object.fromEntries(
    fields.map((field) => [field.path, toText(field, readPath(config, field.path))]),
  );
}

export function configOf(fields: readonly FieldModel[], values: FormValues, base: Config): Config {
  const config = structuredClone(base);
  for (const field of fields) {
    const text = values[field.path];
    if (text !== undefined) writePath(config, field.path, fromText(field, text));
  }
  return config;
}

function writePath(config: Config, path: string, value: unknown): void {
  const keys = path.split(".");
  const last = keys.pop();
  let node = config;
  for (const key of keys) {
    const inner = node[key];
    const next = typeof inner === "object" && inner !== null ? (inner as Config) : {};
    node[key] = next;
    node = next;
  }
  if (last !== undefined) node[last] = value;
}

export interface PlacedProblems {
  byField: Record<string, Problem[]>;
  elsewhere: Problem[];
}

/** Puts each problem at the field that it names, or at the nearest one around it. */
export function placeProblems(
  problems: readonly Problem[],
  paths: readonly string[],
): PlacedProblems {
  const known = new Set(paths);
  const placed: PlacedProblems = { byField: {}, elsewhere: [] };
  for (const problem of problems) {
    const path = nearestField(problem.field, known);
    if (path === null) placed.elsewhere.push(problem);
    else placed.byField[path] = [...(placed.byField[path] ?? []), problem];
  }
  return placed;
}

/** The field at which a problem stands; null where it belongs to none. */
export function placeOf(problem: Problem, paths: readonly string[]): string | null {
  return nearestField(problem.field, new Set(paths));
}

/** A message at its field need not name the field again. */
export function messageOf(problem: Problem): string {
  const prefix = `${problem.field ?? "configuration"}: `;
  return problem.message.startsWith(prefix)
    ? problem.message.slice(prefix.length)
    : problem.message;
}

function nearestField(field: string | null | undefined, known: Set<string>): string | null {
  if (!field) return null;
  let path = field.replace(/^(body\.)?(config\.)?/, "");
  while (path) {
    if (known.has(path)) return path;
    const child = [...known].find((item) => item.startsWith(`${path}.`));
    if (child && path !== field.split(".")[0]) return child;
    path = path.includes(".") ? path.slice(0, path.lastIndexOf(".")) : "";
  }
  return null;
}
