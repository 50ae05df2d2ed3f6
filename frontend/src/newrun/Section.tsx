import type { Problem } from "../api/types";
import { Field } from "./Field";
import { Formula } from "./Formula";
import type { FieldModel, GroupModel, SectionModel } from "./schema";
import { type Config, type FormValues, readPath, toText } from "./values";

export interface SectionProps {
  section: SectionModel;
  values: FormValues;
  defaults: Config;
  advanced: boolean;
  problems: Record<string, Problem[]>;
  warnings: Record<string, Problem[]>;
  visible: (path: string) => boolean;
  onChange: (path: string, value: string | boolean) => void;
}

export function Section(props: SectionProps) {
  const { section, values, defaults } = props;
  const fallback = (field: FieldModel) => toText(field, readPath(defaults, field.path));
  // The simple form still shows what differs from the default, and what is wrong.
  const isShown = (field: FieldModel) =>
    props.advanced ||
    !field.advanced ||
    values[field.path] !== fallback(field) ||
    props.problems[field.path] !== undefined;

  const rows = (group: GroupModel) =>
    group.fields
      .filter(isShown)
      .map((field) => (
        <Field
          key={field.path}
          field={field}
          value={values[field.path] ?? ""}
          fallback={fallback(field)}
          problems={props.visible(field.path) ? props.problems[field.path] : undefined}
          warnings={props.warnings[field.path]}
          onChange={(value) => props.onChange(field.path, value)}
        />
      ));

  const top = rows(section);
  const groups = section.groups
    .map((group) => ({ group, shown: rows(group) }))
    .filter(({ shown }) => shown.length > 0);
  if (top.length === 0 && groups.length === 0) return null;
  return (
    <section aria-labelledby={`section-${section.path}`} className="panel">
      <header className="border-line border-b px-4 py-3">
        <h2 id={`section-${section.path}`} className="font-semibold text-lg">
          {section.title}
        </h2>
        <p className="text-muted text-sm">{section.description}</p>
      </header>
      {section.path === "objective" && <Formula alpha={values["objective.alpha"]} />}
      <div className="divide-y divide-line">
        {top}
        {groups.map(({ group, shown }) => (
          <fieldset key={group.path}>
            <legend className="sr-only">{group.title}</legend>
            <div className="divide-y divide-line">
              <div className="bg-sunken px-4 py-2">
                <h3 className="font-medium text-sm">{group.title}</h3>
                <p className="text-faint text-sm">{group.description}</p>
              </div>
              {shown}
            </div>
          </fieldset>
        ))}
      </div>
    </section>
  );
}
