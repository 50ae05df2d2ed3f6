import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { datasetsQuery } from "../api/datasetQueries";
import type { Problem } from "../api/types";
import { Combobox, type Suggestion } from "../components/Combobox";
import { Inline } from "../components/Inline";
import { Segmented } from "../components/ui";
import { plural } from "../lib/format";
import { fieldId, Messages } from "./Field";
import type { FieldModel } from "./schema";
import type { FormValues } from "./values";

export const WAYS = ["path", "dataset", "benchmark"] as const;
export type Way = (typeof WAYS)[number];
export const WAY_PATHS: readonly string[] = WAYS.map((way) => `data.${way}`);

const WORDS: Record<Way, string> = {
  path: "File",
  dataset: "Data set",
  benchmark: "Benchmark",
};

/** The one way in which the data are named. */
export function wayOf(values: FormValues): Way | null {
  return WAYS.find((way) => String(values[`data.${way}`] ?? "").trim() !== "") ?? null;
}

interface DataSourceProps {
  fields: FieldModel[];
  values: FormValues;
  problemsAt: (path: string) => Problem[] | undefined;
  warnings: Record<string, Problem[]>;
  onChange: (path: string, value: string) => void;
}

/** Where the worked examples come from: one of three ways, each with what is there. */
export function DataSource(props: DataSourceProps) {
  const { fields, values, problemsAt, warnings, onChange } = props;
  const [picked, setPicked] = useState<Way | null>(null);
  const way = wayOf(values) ?? picked ?? "path";
  const field = fields.find((one) => one.path === `data.${way}`);
  const suggestions = useSuggestions(way, field);
  if (!field) return null;
  const id = fieldId(field.path);
  const problems = WAY_PATHS.flatMap((path) => problemsAt(path) ?? []);
  const choose = (next: Way) => {
    setPicked(next);
    for (const path of WAY_PATHS) if (values[path]) onChange(path, "");
  };
  return (
    <div className="grid gap-x-8 gap-y-2 px-4 py-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,300px)]">
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {field.title}
        </label>
        <p id={`${id}-help`} className="text-pretty text-muted text-sm">
          <Inline text={field.description} />{" "}
          {way === "dataset" && (
            <Link to="/datasets" className="underline underline-offset-2">
              Upload one
            </Link>
          )}
        </p>
      </div>
      <div className="flex min-w-0 flex-col gap-2">
        <Segmented<Way>
          label="Data from"
          value={way}
          options={WAYS.map((value) => ({ value, label: WORDS[value] }))}
          onChange={choose}
        />
        <Combobox
          id={id}
          testId={`field-${field.path}`}
          standsFor={WAY_PATHS.join(" ")}
          value={String(values[field.path] ?? "")}
          suggestions={suggestions}
          placeholder={way === "path" ? "/folder/examples.jsonl" : "search"}
          invalid={problems.length > 0}
          describedBy={`${id}-help${problems.length ? ` ${id}-error` : ""}`}
          onChange={(value) => onChange(field.path, value)}
        />
        <Messages
          id={`${id}-error`}
          path={field.path}
          problems={problems.length ? problems : undefined}
          tone="text-bad"
        />
        <Messages path={`${field.path}-warning`} problems={warnings[field.path]} tone="text-warn" />
      </div>
    </div>
  );
}

function useSuggestions(way: Way, field: FieldModel | undefined): Suggestion[] {
  const list = useQuery({ ...datasetsQuery, enabled: way === "dataset" });
  if (way === "benchmark") return (field?.options ?? []).map((value) => ({ value }));
  if (way === "path") return [];
  return (list.data?.items ?? [])
    .filter((item) => item.latest !== null)
    .map((item) => ({
      value: `${item.name}@${item.latest}`,
      note: plural(item.versions, "version"),
    }));
}
