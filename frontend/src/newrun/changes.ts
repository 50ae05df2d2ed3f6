/** What a clone has changed against its original. */
import type { FieldModel } from "./schema";
import type { FormValues } from "./values";

export interface Change {
  path: string;
  before: string;
  after: string;
}

const shown = (value: string | boolean | undefined): string => {
  if (typeof value === "boolean") return value ? "on" : "off";
  return value === undefined || value === "" ? "empty" : value;
};

/** Fields whose text differs, in the order of the form. */
export function changesBetween(
  fields: readonly FieldModel[],
  before: FormValues,
  after: FormValues,
): Change[] {
  return fields
    .filter((field) => before[field.path] !== after[field.path])
    .map(({ path }) => ({ path, before: shown(before[path]), after: shown(after[path]) }));
}
