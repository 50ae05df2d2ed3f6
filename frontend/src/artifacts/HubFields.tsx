import { useId } from "react";
import { Switch } from "../components/ui";
import type { Draft } from "./draft";
import { Field, type FieldsProps } from "./ExportFields";
import type { ExportOptions } from "./queries";

const CONTENTS: readonly { value: Draft["content"]; label: string }[] = [
  { value: "adapter", label: "Adapter" },
  { value: "ema_adapter", label: "EMA adapter" },
  { value: "merged", label: "Merged model" },
  { value: "gguf", label: "GGUF" },
];

/** Where a push goes, and with whose rights. */
export function HubFields({ options, draft, onChange }: FieldsProps & { options: ExportOptions }) {
  const hint = useId();
  const available = (kind: string) =>
    options.kinds.some((one) => one.kind === kind && one.available);
  return (
    <>
      <Field label="What to push">
        <select
          value={draft.content}
          onChange={(event) => {
            const chosen = CONTENTS.find(({ value }) => value === event.target.value);
            if (chosen) onChange({ content: chosen.value });
          }}
          className="control"
        >
          {CONTENTS.map(({ value, label }) => (
            <option key={value} value={value} disabled={!available(value)}>
              {label}
            </option>
          ))}
        </select>
      </Field>
      <Field label="Repository">
        <input
          value={draft.repository}
          placeholder="owner/name"
          spellCheck={false}
          onChange={(event) => onChange({ repository: event.target.value })}
          className="control"
        />
      </Field>
      <Field
        label="Access token"
        hint={
          <span id={hint} className="text-muted">
            With the right to write. Used once by the worker, never stored whole; given up after a
            day.
          </span>
        }
      >
        <input
          type="password"
          value={draft.token}
          autoComplete="off"
          spellCheck={false}
          aria-describedby={hint}
          onChange={(event) => onChange({ token: event.target.value })}
          className="control"
        />
      </Field>
      <div className="self-center">
        <Switch checked={draft.isPrivate} onChange={(isPrivate) => onChange({ isPrivate })}>
          Private, if it is made anew
        </Switch>
      </div>
    </>
  );
}
