import { RotateCcw } from "lucide-react";
import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Control } from "./Control";
import { firstValues } from "./grid";
import type { FieldModel } from "./schema";
import { VaryButton, VaryControl } from "./VaryControl";
import { messageOf } from "./values";

export const fieldId = (path: string): string => `field-${path}`;

interface FieldProps {
  field: FieldModel;
  value: string | boolean;
  fallback: string | boolean;
  problems: Problem[] | undefined;
  warnings: Problem[] | undefined;
  /** Values to try in place of one. */
  tried: string | undefined;
  onChange: (value: string | boolean) => void;
  /** Absent where only one value makes sense. */
  onVary: ((tried: string | null) => void) | undefined;
}

export function Field(props: FieldProps) {
  const { field, value, fallback, problems, warnings, tried, onChange, onVary } = props;
  const id = fieldId(field.path);
  const changed = value !== fallback;
  const long = field.kind === "longtext";
  const hint = field.bounds;
  const describedBy = `${id}-help${problems ? ` ${id}-error` : ""}`;
  return (
    <div
      className={`grid gap-x-8 gap-y-2 px-4 py-3 ${long ? "" : "sm:grid-cols-[minmax(0,1fr)_minmax(0,300px)]"}`}
    >
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {field.title}
        </label>
        <p id={`${id}-help`} className="text-pretty text-muted text-sm">
          <Inline text={field.description} />
          {hint && <span className="text-faint tabular-nums"> ({hint})</span>}
        </p>
      </div>
      <div className="min-w-0">
        {tried !== undefined && onVary ? (
          <VaryControl
            field={field}
            tried={tried}
            invalid={problems !== undefined}
            describedBy={describedBy}
            onChange={onVary}
            onEnd={() => onVary(null)}
          />
        ) : (
          <Control
            id={id}
            field={field}
            value={value}
            invalid={problems !== undefined}
            describedBy={describedBy}
            onChange={onChange}
          />
        )}
        {tried === undefined && (
          <div className="mt-1 flex items-center justify-between gap-3 empty:hidden">
            {changed && !(fallback === "" && field.required) && (
              <button
                type="button"
                onClick={() => onChange(fallback)}
                title={`Default: ${shown(fallback)}`}
                className="inline-flex min-w-0 items-center gap-1 text-faint text-xs hover:text-ink"
              >
                <RotateCcw aria-hidden="true" className="size-3 shrink-0" />
                <span className="truncate">
                  {long ? "Reset to the default" : `Reset to ${shown(fallback)}`}
                </span>
              </button>
            )}
            {onVary && (
              <span className="ml-auto">
                <VaryButton title={field.title} onClick={() => onVary(firstValues(field, value))} />
              </span>
            )}
          </div>
        )}
        <Messages id={`${id}-error`} path={field.path} problems={problems} tone="text-bad" />
        <Messages path={`${field.path}-warning`} problems={warnings} tone="text-warn" />
      </div>
    </div>
  );
}

function shown(value: string | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  return value === "" ? "empty" : value;
}

interface MessagesProps {
  id?: string;
  path: string;
  problems: Problem[] | undefined;
  tone: string;
}

export function Messages({ id, path, problems, tone }: MessagesProps) {
  if (!problems) return null;
  return (
    <div id={id} data-testid={`error-${path}`} className={`mt-1.5 text-sm ${tone}`}>
      {problems.map((problem, i) => (
        <p key={i}>
          <Inline text={messageOf(problem)} />{" "}
          {problem.remedy && (
            <span className="text-muted">
              <Inline text={problem.remedy} />
            </span>
          )}
        </p>
      ))}
    </div>
  );
}
