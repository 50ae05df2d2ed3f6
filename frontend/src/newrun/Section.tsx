import type { Problem } from "../api/types";
import { DataSource, WAY_PATHS } from "./DataSource";
import { Field } from "./Field";
import { Formula } from "./Formula";
import { Group } from "./Group";
import { canVary, type Grid } from "./grid";
import { hasEffect, isOpen } from "./relevance";
import type { FieldModel, SectionModel } from "./schema";
import { type Config, type FormValues, readPath, toText } from "./values";

export interface SectionProps {
  section: SectionModel;
  values: FormValues;
  grid: Grid;
  defaults: Config;
  advanced: boolean;
  problems: Record<string, Problem[]>;
  warnings: Record<string, Problem[]>;
  visible: (path: string) => boolean;
  onChange: (path: string, value: string | boolean) => void;
  onVary: (field: FieldModel, tried: string | null) => void;
}

export function Section(props: SectionProps) {
  const { section, values, defaults } = props;
  const fallback = (field: FieldModel) => toText(field, readPath(defaults, field.path));
  // The simple form still shows what differs from the default, and every form what is wrong.
  const isShown = (field: FieldModel) =>
    props.problems[field.path] !== undefined ||
    props.grid[field.path] !== undefined ||
    (hasEffect(field.path, values) &&
      (props.advanced || !field.advanced || values[field.path] !== fallback(field)));
  const isWrong = (field: FieldModel) => props.problems[field.path] !== undefined;
  const problemsAt = (path: string) => (props.visible(path) ? props.problems[path] : undefined);

  const rows = (fields: FieldModel[]) =>
    fields.map((field) => (
      <Field
        key={field.path}
        field={field}
        value={values[field.path] ?? ""}
        fallback={fallback(field)}
        problems={problemsAt(field.path)}
        warnings={props.warnings[field.path]}
        tried={props.grid[field.path]}
        onChange={(value) => props.onChange(field.path, value)}
        onVary={
          section.path !== "schedule" && canVary(field)
            ? (tried) => props.onVary(field, tried)
            : undefined
        }
      />
    ));

  const isData = section.path === "data";
  const top = section.fields.filter(
    (field) => isShown(field) && !(isData && WAY_PATHS.includes(field.path)),
  );
  const groups = section.groups
    .map((group) => ({
      group,
      on: isOpen(group, values),
      shown: group.fields.filter(isOpen(group, values) ? isShown : isWrong),
    }))
    .filter(
      ({ group, on, shown }) =>
        shown.length > 0 || (group.toggle && (on || hasEffect(group.path, values))),
    );
  if (!isData && top.length === 0 && groups.length === 0) return null;
  return (
    <section aria-labelledby={`section-${section.path}`} className="panel">
      <header className="border-line border-b px-4 py-3">
        <h2 id={`section-${section.path}`} className="font-semibold text-lg">
          {section.title}
        </h2>
        <p className="text-muted text-sm">{section.description}</p>
      </header>
      {section.path === "objective" && <Formula values={values} />}
      <div className="divide-y divide-line">
        {isData && (
          <DataSource
            fields={section.fields}
            values={values}
            problemsAt={problemsAt}
            warnings={props.warnings}
            onChange={props.onChange}
          />
        )}
        {rows(top)}
        {groups.map(({ group, on, shown }) => (
          <Group
            key={group.path}
            group={group}
            on={on}
            problems={group.toggle ? problemsAt(group.toggle.path) : undefined}
            tried={group.toggle ? props.grid[group.toggle.path] : undefined}
            onToggle={(next) => group.toggle && props.onChange(group.toggle.path, next)}
            onVary={(tried) => group.toggle && props.onVary(group.toggle, tried)}
          >
            {rows(shown)}
          </Group>
        ))}
      </div>
    </section>
  );
}
