import { useId, useState } from "react";
import { useChangeMapping } from "../api/actions";
import { asApiError } from "../api/client";
import type { DatasetMapping, DatasetVersion } from "../api/types";
import { Notice } from "../components/states";
import { Button } from "../components/ui";

const ROLES: { key: keyof DatasetMapping; title: string; description: string }[] = [
  { key: "prompt", title: "Prompt", description: "What the student is asked." },
  { key: "messages", title: "Messages", description: "A chat, in place of the prompt." },
  { key: "answer", title: "Answer", description: "The reference answer." },
  { key: "rationale", title: "Rationale", description: "The reasoning that the teacher sees." },
  { key: "choices", title: "Choices", description: "Options, of which the answer is one." },
  { key: "tests", title: "Tests", description: "Python statements that code must pass." },
  { key: "tool_calls", title: "Tool calls", description: "Calls that answer the prompt." },
];

interface MappingFormProps {
  version: DatasetVersion;
  onDone: (version: DatasetVersion) => void;
}

/** Which column holds what. Another mapping is another version of the same file. */
export function MappingForm({ version, onDone }: MappingFormProps) {
  const id = useId();
  const [mapping, setMapping] = useState<DatasetMapping>(version.mapping);
  const saving = useChangeMapping();
  const changed = ROLES.some(({ key }) => mapping[key] !== version.mapping[key]);
  const problem = saving.error ? asApiError(saving.error) : null;
  const columns = version.report.columns;
  return (
    <section aria-labelledby={`${id}-title`} className="panel">
      <h2 id={`${id}-title`} className="border-line border-b px-4 py-2.5 font-semibold">
        Mapping
      </h2>
      <div className="grid gap-4 p-4 sm:grid-cols-2 xl:grid-cols-4">
        {ROLES.map(({ key, title, description }) => {
          const value = mapping[key] ?? "";
          const known = columns.some((column) => column.name === value);
          return (
            <div key={key} className="flex flex-col gap-1">
              <label htmlFor={`${id}-${key}`} className="font-medium">
                {title}
              </label>
              <span id={`${id}-${key}-told`} className="text-muted text-sm">
                {description}
              </span>
              <select
                id={`${id}-${key}`}
                aria-describedby={`${id}-${key}-told`}
                data-testid={`mapping-${key}`}
                value={value}
                onChange={(event) => setMapping({ ...mapping, [key]: event.target.value || null })}
                className="control w-full"
              >
                <option value="">none</option>
                {value !== "" && !known && <option value={value}>{value} (not there)</option>}
                {columns.map((column) => (
                  <option key={column.name} value={column.name}>
                    {column.name} ({column.types.join(", ")})
                  </option>
                ))}
              </select>
            </div>
          );
        })}
        <div className="flex items-end">
          <Button
            variant="primary"
            data-testid="mapping-save"
            disabled={!changed}
            busy={saving.isPending}
            onClick={() => saving.mutate({ version, mapping }, { onSuccess: onDone })}
          >
            {saving.isPending ? "Checking every row…" : "Save as a new version"}
          </Button>
        </div>
      </div>
      {problem && (
        <div className="px-4 pb-4">
          <Notice tone="bad" title={problem.message}>
            {problem.remedy}
          </Notice>
        </div>
      )}
    </section>
  );
}
