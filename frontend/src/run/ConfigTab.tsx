import { useQuery } from "@tanstack/react-query";
import { Fragment, useMemo, useState } from "react";
import { configSchemaQuery } from "../api/queries";
import type { RunDetail } from "../api/types";
import { ConfigText, type TextFormat } from "../components/ConfigText";
import { Segmented, Skeleton } from "../components/ui";
import { setting, UNKNOWN, unitOf } from "../lib/format";
import { type FieldModel, formModel, type GroupModel } from "../newrun/schema";
import { readPath } from "../newrun/values";

type View = "table" | TextFormat;

export function ConfigTab({ run }: { run: RunDetail }) {
  // The table follows the schema of configurations that train.
  const trains = run.kind === "training";
  const [view, setView] = useState<View>(trains ? "table" : "yaml");
  return (
    <div className="flex flex-col gap-4 px-4 py-4 md:px-6">
      <div className="flex items-center gap-3">
        <Segmented
          label="Show as"
          value={view}
          options={[
            ...(trains ? [{ value: "table" as const, label: "Table" }] : []),
            { value: "yaml", label: "YAML" },
            { value: "json", label: "JSON" },
          ]}
          onChange={setView}
          small
        />
        <span className="text-faint text-sm">Frozen when the run was created</span>
      </div>
      {view === "table" ? (
        <ConfigTable config={run.config} />
      ) : (
        <div className="panel max-w-3xl overflow-hidden">
          <ConfigText config={run.config} format={view} />
        </div>
      )}
    </div>
  );
}

function ConfigTable({ config }: { config: RunDetail["config"] }) {
  const schema = useQuery(configSchemaQuery);
  const sections = useMemo(() => (schema.data ? formModel(schema.data) : []), [schema.data]);
  if (!schema.data) return <Skeleton className="h-96 max-w-5xl" />;
  return (
    <div className="gap-4 xl:columns-2">
      {sections.map((section) => (
        <section key={section.path} className="panel mb-4 break-inside-avoid overflow-hidden">
          <h2 className="border-line border-b bg-sunken px-3 py-2 font-medium">{section.title}</h2>
          <dl>
            <Rows group={section} config={config} />
          </dl>
          {section.groups.map((inner) => (
            <Fragment key={inner.path}>
              <h3 className="eyebrow flex justify-between border-line border-y px-3 pt-3 pb-1">
                {inner.title}
                {inner.toggle && <span>{isOn(inner, config) ? "on" : "off"}</span>}
              </h3>
              {isOn(inner, config) && (
                <dl>
                  <Rows group={inner} config={config} />
                </dl>
              )}
            </Fragment>
          ))}
        </section>
      ))}
    </div>
  );
}

const isOn = ({ toggle }: GroupModel, config: unknown): boolean =>
  toggle === null || readPath(config, toggle.path) === true;

function Rows({ group, config }: { group: GroupModel; config: unknown }) {
  return group.fields.map((field) => (
    <Row key={field.path} field={field} value={readPath(config, field.path)} />
  ));
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);

function Row({ field, value }: { field: FieldModel; value: unknown }) {
  const changed = field.fallback !== undefined && !same(value, field.fallback);
  const long = field.kind === "longtext" && typeof value === "string";
  return (
    <div
      className={`border-line border-b px-3 py-1.5 last:border-b-0 ${long ? "" : "flex items-baseline justify-between gap-6"}`}
    >
      <dt className="shrink-0 text-muted" title={`${field.path}: ${field.description}`}>
        {field.title}
        {changed && (
          <span
            role="img"
            aria-label="not the default"
            title={`Default: ${show(field.fallback)}`}
            className="ml-1.5 inline-block size-1.5 rounded-full bg-accent align-middle"
          />
        )}
      </dt>
      {long ? (
        <dd className="mt-1 whitespace-pre-wrap rounded-control bg-sunken p-2 font-mono text-sm">
          {String(value)}
        </dd>
      ) : (
        <dd className="min-w-0 break-words text-right">
          {show(value)}
          {field.unit && value !== null && (
            <span className="ml-1.5 text-faint text-sm">{unitOf(value, field.unit)}</span>
          )}
        </dd>
      )}
    </div>
  );
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === "") return UNKNOWN;
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "number") return setting(value);
  return String(value);
}
