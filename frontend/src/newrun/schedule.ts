/** When and where a run is executed, beside its configuration; in units that people use. */
import type { components } from "../api/schema";
import type { RunDetail } from "../api/types";
import { type FieldModel, fieldTitle, type SectionModel } from "./schema";
import { type Config, type FormValues, fromText, valuesOf } from "./values";

type Schedule = components["schemas"]["Schedule"];

const GIB = 2 ** 30;
const HOUR = 3600;

function field(
  name: keyof Schedule,
  kind: FieldModel["kind"],
  description: string,
  more: Partial<FieldModel> = {},
): FieldModel {
  const path = `schedule.${name}`;
  return {
    path,
    title: fieldTitle(path),
    description,
    unit: "",
    advanced: true,
    kind,
    nullable: true,
    fallback: null,
    required: false,
    options: [],
    bounds: "",
    ...more,
  };
}

const PRIORITY = field(
  "priority",
  "integer",
  "Runs of higher priority start first; equal ones in their order.",
  { nullable: false, fallback: 0, advanced: false, bounds: "\u2212100–100" },
);
const LABELS = field(
  "labels",
  "list",
  "Only a worker that carries all of these takes the run, for example `a100`.",
  { nullable: false, fallback: [], advanced: false },
);
const MEMORY = field(
  "gpu_memory_bytes",
  "number",
  "Only a worker whose GPUs have at least so much takes the run. Empty: any worker.",
  { unit: "GiB" },
);
const ATTEMPTS = field(
  "max_attempts",
  "integer",
  "Starts before it counts as crashed for good; 1: never again. Empty: the installation's number.",
  { bounds: "1–100" },
);
const LIMIT = field(
  "time_limit_seconds",
  "number",
  "Time of all attempts together, after which the run is stopped and saved. Empty: none.",
  { unit: "hours" },
);

export const SCHEDULE: SectionModel = {
  path: "schedule",
  title: "Schedule",
  description: "When and where it runs. Nothing here changes what it computes.",
  toggle: null,
  fields: [PRIORITY, LABELS, MEMORY, ATTEMPTS, LIMIT],
  groups: [],
};

export const SCHEDULE_DEFAULTS: Config = { schedule: { priority: 0, labels: [] } };

type Source = Pick<
  RunDetail,
  "priority" | "labels" | "gpu_memory_bytes" | "time_limit_seconds"
> | null;

/** What stands in the fields: the defaults, or what the run that is cloned asked for. */
export function scheduleValues(source: Source): FormValues {
  const { gpu_memory_bytes: memory = null, time_limit_seconds: limit = null } = source ?? {};
  const asked = source && {
    priority: source.priority,
    labels: source.labels,
    gpu_memory_bytes: memory === null ? null : memory / GIB,
    time_limit_seconds: limit === null ? null : limit / HOUR,
  };
  return valuesOf(SCHEDULE.fields, asked ? { schedule: asked } : SCHEDULE_DEFAULTS);
}

/** What the fields say, in the API's units. What cannot be read goes as it is: the server answers. */
export function scheduleOf(values: FormValues): Config {
  const read = (one: FieldModel) => fromText(one, values[one.path] ?? "");
  const scaled = (one: FieldModel, by: number, round: (value: number) => number) => {
    const value = read(one);
    return typeof value === "number" ? round(value * by) : value;
  };
  return {
    priority: read(PRIORITY),
    labels: read(LABELS),
    gpu_memory_bytes: scaled(MEMORY, GIB, Math.round),
    max_attempts: read(ATTEMPTS),
    time_limit_seconds: scaled(LIMIT, HOUR, (value) => value),
  };
}
