/** What runs can be sorted, filtered and grouped by, and shown as columns, by the server's names. */

export type FieldKind =
  | "text"
  | "number"
  | "time"
  | "span"
  | "flag"
  | "choice"
  | "named"
  | "tag"
  | "mechanism";

export interface Field {
  id: string;
  label: string;
  kind: FieldKind;
  /** Where it stands in lists of fields. */
  place: "Run" | "Metrics" | "Configuration";
  /** Of its column, in pixels. */
  width: number;
  numeric: boolean;
}

const RUN: readonly [id: string, label: string, kind: FieldKind, width: number][] = [
  ["name", "Name", "text", 232],
  ["status", "State", "choice", 118],
  ["progress", "Progress", "number", 128],
  ["last_loss", "Loss", "number", 136],
  ["method", "Method", "text", 104],
  ["mechanism", "Mechanisms", "mechanism", 176],
  ["model", "Model", "text", 116],
  ["data", "Data", "text", 132],
  ["seed", "Seed", "number", 84],
  ["tag", "Tags", "tag", 148],
  ["study", "Study", "named", 136],
  ["worker", "Worker", "named", 84],
  ["project", "Project", "named", 120],
  ["kind", "Kind", "choice", 104],
  ["duration", "Duration", "span", 92],
  ["created_at", "Created", "time", 104],
  ["started_at", "Started", "time", 104],
  ["finished_at", "Finished", "time", 104],
  ["step", "Step", "number", 84],
  ["attempt", "Attempt", "number", 88],
  ["priority", "Priority", "number", 88],
];

const NUMERIC: readonly FieldKind[] = ["number", "span", "time"];

export const RUN_FIELDS: readonly Field[] = RUN.map(([id, label, kind, width]) => ({
  id,
  label,
  kind,
  place: "Run",
  width,
  numeric: NUMERIC.includes(kind) && id !== "progress",
}));

const BY_ID = new Map(RUN_FIELDS.map((field) => [field.id, field]));

export const DEFAULT_COLUMNS = [
  "name",
  "status",
  "progress",
  "last_loss",
  "method",
  "model",
  "worker",
  "duration",
  "created_at",
] as const;

export const GROUPS = [
  "method",
  "data",
  "model",
  "seed",
  "study",
  "tag",
  "status",
  "worker",
  "project",
  "kind",
] as const;

const METRIC = "metric:";
const PARAM = "param:";

export const isMetric = (id: string): boolean => id.startsWith(METRIC);
export const isParam = (id: string): boolean => id.startsWith(PARAM);
export const paramPath = (id: string): string => id.slice(PARAM.length);

export type Extreme = "last" | "min" | "max";

export function metricOf(id: string): { path: string; which: Extreme } {
  const found = /^metric:(.+)@(last|min|max)$/s.exec(id);
  if (found?.[1]) return { path: found[1], which: found[2] as Extreme };
  return { path: id.slice(METRIC.length), which: "last" };
}

/** A metric's newest, lowest or highest value as a field. */
export function metricField(path: string, which: Extreme = "last"): Field {
  return {
    id:
      which === "last" && !/@(last|min|max)$/.test(path)
        ? METRIC + path
        : `${METRIC}${path}@${which}`,
    label: which === "last" ? path : `${path} ${which}`,
    kind: "number",
    place: "Metrics",
    width: 136,
    numeric: true,
  };
}

export function paramField(path: string, kind: "text" | "number" | "flag" = "text"): Field {
  return {
    id: PARAM + path,
    label: path,
    kind,
    place: "Configuration",
    width: 136,
    numeric: kind === "number",
  };
}

const HEAD_SIGNS = 14;

/** A label for a narrow head: the end of a path tells more than its beginning. */
export function headLabel({ label }: Field): string {
  if (label.length <= HEAD_SIGNS) return label;
  const parts = label.split(/(?=[/.])/);
  let tail = parts.pop() ?? "";
  while (parts.length && tail.length + (parts.at(-1) ?? "").length < HEAD_SIGNS) {
    tail = parts.pop() + tail;
  }
  return parts.length ? `…${tail.slice(1)}` : label;
}

/** The field of an address or a saved view; undefined where there is none of that name. */
export function fieldOf(id: string, kinds?: ReadonlyMap<string, Field>): Field | undefined {
  if (isMetric(id)) {
    const { path, which } = metricOf(id);
    return path ? metricField(path, which) : undefined;
  }
  if (isParam(id)) return kinds?.get(id) ?? paramField(paramPath(id));
  return BY_ID.get(id);
}
