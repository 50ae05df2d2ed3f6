/** Several values in a field: what varies, and the study that it makes. */
import type { Problem } from "../api/types";
import { baseName } from "../lib/format";
import type { Plan } from "../studies/api";
import { type FieldModel, fieldTitle } from "./schema";
import { type Config, fromText, readPath } from "./values";

export type StudyPlan = Plan;

/** What is tried in a field, as typed: values between commas; by path. */
export type Grid = Record<string, string>;

export const SEED = "training.seed";
const LONGEST_NAME = 60;
const SWITCH = ".enabled";

export function valuesIn(text: string): string[] {
  return [...new Set(text.split(",").map((value) => value.trim()))].filter(Boolean);
}

/** Whether several values make sense in a field. */
export const canVary = (field: FieldModel): boolean =>
  field.kind !== "list" && field.kind !== "longtext";

/** What is tried first where a field is varied. */
export function firstValues(field: FieldModel, value: string | boolean): string {
  if (field.kind === "boolean") return "off, on";
  if (field.kind === "choice") return field.options.join(", ");
  return String(value);
}

const read = (field: FieldModel, text: string): unknown =>
  field.kind === "boolean" ? text === "on" : fromText(field, text === "empty" ? "" : text);

export const isGrid = (grid: Grid): boolean =>
  Object.values(grid).some((text) => valuesIn(text).length > 1);

/** Runs that a grid asks for. */
export function runsOf(grid: Grid): number {
  return Object.values(grid).reduce((runs, text) => runs * Math.max(1, valuesIn(text).length), 1);
}

function nested(path: string, value: unknown): Config {
  return path
    .split(".")
    .reverse()
    .reduce<unknown>((inner, key) => ({ [key]: inner }), value) as Config;
}

/** A name that plans allow: letters, digits and `_.+-`. */
function word(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_.+-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return (plain || "empty").slice(0, LONGEST_NAME);
}

const plainName = (path: string, parts: number): string =>
  path.replace(SWITCH, "").split(".").slice(-parts).join(".");

/** The shortest ends of the paths that tell them apart. */
export function factorNames(paths: readonly string[]): Record<string, string> {
  const named: Record<string, string> = {};
  for (const path of paths) {
    const alone = (parts: number) =>
      paths.filter((other) => plainName(other, parts) === plainName(path, parts)).length === 1;
    named[path] = plainName(path, [1, 2, 3].find(alone) ?? 4);
  }
  return named;
}

function levelsOf(field: FieldModel, text: string): Record<string, Config> {
  const levels: Record<string, Config> = {};
  for (const value of valuesIn(text)) {
    const short = word(value.includes("/") ? baseName(value) : value);
    const name = short in levels ? word(value) : short;
    levels[name] = nested(field.path, read(field, value));
  }
  return levels;
}

export interface PlanInput {
  name: string;
  project: string | null;
  config: Config;
  schedule: Config;
  grid: Grid;
  fields: readonly FieldModel[];
}

const asNumber = (text: string): unknown => (Number.isFinite(Number(text)) ? Number(text) : text);

/** The study of all combinations of what is varied. */
export function planOf(input: PlanInput): StudyPlan {
  const { config, fields, grid } = input;
  const varied = fields.filter((field) => field.path !== SEED && grid[field.path] !== undefined);
  const names = factorNames(varied.map((field) => field.path));
  const factors = Object.fromEntries(
    varied.map((field) => [
      names[field.path] ?? field.path,
      levelsOf(field, grid[field.path] ?? ""),
    ]),
  );
  const seeds =
    grid[SEED] === undefined ? [readPath(config, SEED)] : valuesIn(grid[SEED]).map(asNumber);
  return {
    name: input.name || planName(varied, config),
    ...(input.project ? { project: input.project } : {}),
    base: config,
    factors,
    seeds,
    metrics: metricsOf(config),
    schedule: input.schedule,
  } as StudyPlan;
}

function planName(varied: readonly FieldModel[], config: Config): string {
  const titles = varied.map((field) => fieldTitle(field.path).toLowerCase());
  const data = ["data.path", "data.dataset", "data.benchmark"]
    .map((path) => baseName(String(readPath(config, path) ?? "")))
    .find(Boolean);
  const what = titles.length ? titles.join(" × ") : "seeds";
  return data ? `${what} · ${data}` : what;
}

function metricsOf(config: Config): string[] {
  const benchmarks = readPath(config, "evaluation.benchmarks");
  const examples = readPath(config, "evaluation.examples");
  return [
    ...(Array.isArray(benchmarks) && benchmarks.length ? ["eval/*/accuracy"] : []),
    ...(Number(examples) > 0 ? ["eval/reference/nll"] : []),
    "train/loss",
  ];
}

/** A problem of a plan, at the field of the form that it is about. */
export function placedInForm(problem: Problem, plan: StudyPlan): Problem {
  const field = (problem.field ?? "").replace(/^body\./, "");
  if (field.startsWith("base.")) return { ...problem, field: field.slice("base.".length) };
  if (field.startsWith("seeds")) return { ...problem, field: SEED };
  for (const [factor, levels] of Object.entries(plan.factors ?? {})) {
    const prefix = `factors.${factor}`;
    if (field !== prefix && !field.startsWith(`${prefix}.`)) continue;
    const own = pathOf(Object.values(levels)[0]);
    const level = Object.keys(levels).find((name) => field.startsWith(`${prefix}.${name}.`));
    const inner = level === undefined ? own : field.slice(`${prefix}.${level}.`.length);
    return { ...problem, field: inner || own };
  }
  return problem;
}

/** The one path that a level sets. */
function pathOf(level: unknown): string {
  const keys: string[] = [];
  let node: unknown = level;
  while (typeof node === "object" && node !== null) {
    const [key] = Object.keys(node);
    if (key === undefined) break;
    keys.push(key);
    node = (node as Config)[key];
  }
  return keys.join(".");
}
