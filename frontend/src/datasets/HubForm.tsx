import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { asApiError, client, unwrap } from "../api/client";
import type { DatasetVersion } from "../api/types";
import { Notice } from "../components/states";
import { Button } from "../components/ui";
import { nameOf } from "./upload";

interface HubFormProps {
  projectId: string | undefined;
  /** The name to add a version to; without one it is asked for. */
  name?: string;
  onDone: (version: DatasetVersion) => void;
}

type Field = "repo_id" | "file" | "revision" | "name";

const FIELDS: readonly { key: Field; label: string; example: string; wide?: boolean }[] = [
  { key: "repo_id", label: "Data set on the hub", example: "openai/gsm8k", wide: true },
  { key: "file", label: "File in it", example: "main/train-00000-of-00001.parquet", wide: true },
  { key: "revision", label: "Branch, tag or commit", example: "main" },
  { key: "name", label: "Name here", example: "gsm8k" },
];

/** Takes one file of a data set on the hub; the commit that was found is recorded. */
export function HubForm({ projectId, name: fixed, onDone }: HubFormProps) {
  const id = useId();
  const queries = useQueryClient();
  const [typed, setTyped] = useState<Partial<Record<Field, string>>>({});
  const suggested = nameOf(typed.repo_id?.split("/").at(-1) ?? "");
  const values: Record<Field, string> = {
    repo_id: typed.repo_id ?? "",
    file: typed.file ?? "",
    revision: typed.revision ?? "main",
    name: fixed ?? typed.name ?? (typed.repo_id ? suggested : ""),
  };
  const taking = useMutation({
    mutationFn: () =>
      unwrap(
        client.POST("/api/datasets/hub", { body: { ...values, project_id: projectId ?? null } }),
      ),
    onSuccess: (version) => {
      void queries.invalidateQueries({ queryKey: ["datasets"] });
      onDone(version);
    },
  });
  const problem = taking.error ? asApiError(taking.error) : null;
  const wrong = new Map(problem?.errors.map((one) => [one.field, one]));
  const elsewhere = problem && !FIELDS.some(({ key }) => wrong.has(key)) ? problem : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    taking.mutate();
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-[2fr_2fr_1fr_1fr]">
        {FIELDS.filter(({ key }) => key !== "name" || fixed === undefined).map((field) => {
          const fault = wrong.get(field.key);
          return (
            <label key={field.key} htmlFor={`${id}-${field.key}`} className="flex flex-col gap-1">
              <span className="text-sm">{field.label}</span>
              <input
                id={`${id}-${field.key}`}
                value={values[field.key]}
                placeholder={field.example}
                required
                autoComplete="off"
                spellCheck={false}
                aria-invalid={fault !== undefined}
                onChange={(event) => setTyped({ ...typed, [field.key]: event.target.value })}
                className="control w-full"
              />
              {fault && (
                <span role="alert" className="text-bad text-sm">
                  {fault.message} {fault.remedy}
                </span>
              )}
            </label>
          );
        })}
      </div>
      <div className="flex items-center gap-3">
        <Button type="submit" variant="primary" busy={taking.isPending}>
          Take the file
        </Button>
        {taking.isPending && (
          <span role="status" className="text-muted text-sm">
            Fetching it and checking every row…
          </span>
        )}
      </div>
      {elsewhere && (
        <Notice tone="bad" title={elsewhere.message}>
          {elsewhere.remedy}
        </Notice>
      )}
    </form>
  );
}
