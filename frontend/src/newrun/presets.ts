/** Named starting points in the form. */
import type { Preset } from "../api/types";
import type { FieldModel } from "./schema";
import { type Config, type FormValues, readPath, valuesOf } from "./values";

/** Parts that a preset starts anew; the others keep what was typed. */
const PARTS = ["objective", "teacher", "generation"];

const isObject = (value: unknown): value is Config =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function merge(under: Config, over: Config): Config {
  const merged = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isObject(below) && isObject(value) ? merge(below, value) : value;
  }
  return merged;
}

const partOf = (field: FieldModel): string => field.path.split(".")[0] ?? "";

/** The form's values with a preset's settings on the defaults of the parts that it starts anew. */
export function applyPreset(
  preset: Preset,
  fields: readonly FieldModel[],
  values: FormValues,
  defaults: Config,
): FormValues {
  const own = fields.filter(
    (field) => PARTS.includes(partOf(field)) || readPath(preset.settings, field.path) !== undefined,
  );
  return { ...values, ...valuesOf(own, merge(defaults, preset.settings)) };
}

/** Where the values are no longer the preset's; lengths and the like are nobody's business. */
export function changesSince(
  preset: Preset,
  fields: readonly FieldModel[],
  values: FormValues,
  defaults: Config,
): FieldModel[] {
  const pure = applyPreset(preset, fields, values, defaults);
  return fields.filter(
    (field) =>
      (partOf(field) !== "generation" || readPath(preset.settings, field.path) !== undefined) &&
      pure[field.path] !== values[field.path],
  );
}
