import { useEffect, useMemo, useState } from "react";
import type { RunCreate } from "../api/actions";
import type { Preset, Project, RunDetail } from "../api/types";
import type { NewRunSearch } from "../searches";
import { type Change, changesBetween } from "./changes";
import { loadDraft, saveDraft } from "./draft";
import { firstValues, type Grid, isGrid, planOf, SEED, valuesIn } from "./grid";
import { applyPreset } from "./presets";
import { SCHEDULE, scheduleOf, scheduleValues } from "./schedule";
import { allFields, type FieldModel, type SectionModel } from "./schema";
import type { Wanted } from "./useValidation";
import { type Config, configOf, type FormValues, valuesOf } from "./values";

export interface FormInput {
  sections: SectionModel[];
  defaults: Config;
  presets: Preset[];
  /** What the form begins with. */
  start: Config;
  source: RunDetail | null;
  projects: Project[];
  search: NewRunSearch;
}

/** What stands in the form, what it spells, and how it changes. */
export function useRunForm(input: FormInput) {
  const { defaults, presets, projects, search, sections, source, start } = input;
  const fields = useMemo(() => allFields(sections), [sections]);
  const every = useMemo(() => [...fields, ...SCHEDULE.fields], [fields]);
  // Only where the form begins: choosing a preset later changes the values.
  const [original] = useState<FormValues>(() => {
    const preset = presets.find((item) => item.name === search.preset);
    const given = { ...valuesOf(fields, start), ...scheduleValues(source) };
    return preset && !source ? applyPreset(preset, fields, given, defaults) : given;
  });
  const key = `${search.from ?? ""} ${search.dataset ?? search.benchmark ?? ""}`;
  const [draft] = useState(() => loadDraft(key, search.preset ?? null));
  const project = search.project ?? source?.project_id ?? "";
  const [begun] = useState(search.preset ?? null);
  const [preset, setPreset] = useState(search.preset ?? draft?.preset ?? null);
  const [values, setValues] = useState<FormValues>({ ...original, ...draft?.values });
  const [grid, setGrid] = useState<Grid>(draft?.grid ?? {});
  const [name, setName] = useState(draft?.name ?? "");
  const [projectId, setProjectId] = useState(draft?.projectId ?? project);
  const [text, setText] = useState<string | null>(draft?.text ?? null);

  const changes = changesBetween(every, original, values);
  const touched =
    changes.length > 0 || Object.keys(grid).length > 0 || name !== "" || text !== null;
  useEffect(() => {
    const now = { preset, name, projectId, values, grid, text };
    saveDraft(key, touched ? now : null);
  }, [key, preset, name, projectId, values, grid, text, touched]);

  const config = configOf(fields, values, start);
  const run = {
    config,
    schedule: scheduleOf(values),
    ...(name.trim() ? { name: name.trim() } : {}),
    ...(projectId ? { project_id: projectId } : {}),
  } as RunCreate;
  const plan = isGrid(grid)
    ? planOf({
        name: name.trim(),
        project: projects.find((item) => item.id === projectId)?.name ?? "Default",
        config,
        schedule: scheduleOf(values),
        grid,
        fields,
      })
    : null;
  const wanted: Wanted = plan ? { plan } : { run };

  return {
    fields,
    every,
    preset,
    /** The preset that the address named at first. */
    begun,
    values,
    grid,
    name,
    projectId,
    text,
    config,
    run,
    plan,
    wanted,
    touched,
    changes: source ? changes : ([] as Change[]),
    setName,
    setProjectId,
    setText,
    set: (path: string, value: string | boolean) => {
      // The number of seeds stays, and they go on from the one that is typed.
      if (path === SEED && grid[SEED] !== undefined) {
        setGrid((old) => ({ ...old, [SEED]: seedsFrom(value, valuesIn(old[SEED] ?? "").length) }));
      }
      setValues((old) => ({ ...old, [path]: value }));
    },
    /** Several values in place of one; null: one again. */
    vary: (field: FieldModel, tried: string | null) => {
      setGrid(({ [field.path]: _, ...rest }) =>
        tried === null ? rest : { ...rest, [field.path]: tried },
      );
      // The fields of a mechanism that is tried are to be seen.
      if (tried !== null && field.kind === "boolean") {
        setValues((old) => ({ ...old, [field.path]: true }));
      }
    },
    begin: (field: FieldModel) => firstValues(field, values[field.path] ?? ""),
    setSeeds: (count: number) =>
      setGrid(({ [SEED]: _, ...rest }) =>
        count > 1 ? { ...rest, [SEED]: seedsFrom(values[SEED] ?? "", count) } : rest,
      ),
    choose: (chosen: Preset) => {
      setPreset(chosen.name);
      setValues((old) => applyPreset(chosen, fields, old, defaults));
    },
    take: (next: Config) => setValues((old) => ({ ...old, ...valuesOf(fields, next) })),
    forget: () => saveDraft(key, null),
    reset: () => {
      setPreset(begun);
      setValues(original);
      setGrid({});
      setName("");
      setProjectId(project);
      setText(null);
    },
  };
}

export type RunForm = ReturnType<typeof useRunForm>;

function seedsFrom(first: string | boolean, count: number): string {
  const begin = Number(first);
  const from = Number.isInteger(begin) && begin >= 0 ? begin : 1;
  return Array.from({ length: count }, (_, place) => from + place).join(", ");
}
