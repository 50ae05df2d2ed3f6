import { Grid3x3, X } from "lucide-react";
import { plural } from "../lib/format";
import { fieldId } from "./Field";
import { valuesIn } from "./grid";
import type { FieldModel } from "./schema";

interface VaryControlProps {
  field: FieldModel;
  tried: string;
  invalid: boolean;
  describedBy: string;
  onChange: (tried: string) => void;
  onEnd: () => void;
}

/** Several values of a field, each tried with all those of the others. */
export function VaryControl(props: VaryControlProps) {
  const { describedBy, field, invalid, onChange, onEnd, tried } = props;
  const values = valuesIn(tried);
  const id = fieldId(field.path);
  return (
    <div>
      {field.kind === "choice" ? (
        <Choices {...props} values={values} />
      ) : (
        <input
          id={id}
          type="text"
          data-testid={`field-${field.path}`}
          aria-label={`${field.title}: values to try`}
          aria-invalid={invalid}
          aria-describedby={describedBy}
          autoComplete="off"
          spellCheck={false}
          placeholder="1, 2, 3"
          readOnly={field.kind === "boolean"}
          value={tried}
          onChange={(event) => onChange(event.target.value)}
          className="control w-full font-mono text-sm"
        />
      )}
      <p className="mt-1 flex items-center justify-between gap-2 text-accent-text text-xs">
        <span>
          <Grid3x3 aria-hidden="true" className="mr-1 inline size-3 align-[-2px]" />
          {values.length > 1
            ? `${plural(values.length, "value")}, each in runs of its own`
            : "Type several values with commas between them"}
        </span>
        <button
          type="button"
          onClick={onEnd}
          aria-label={`${field.title}: one value again`}
          className="inline-flex shrink-0 items-center gap-0.5 text-faint hover:text-ink"
        >
          <X aria-hidden="true" className="size-3" />
          One value
        </button>
      </p>
    </div>
  );
}

function Choices({ field, values, onChange }: VaryControlProps & { values: string[] }) {
  return (
    <fieldset className="flex flex-col gap-1 py-1">
      <legend className="sr-only">{field.title}: values to try</legend>
      {field.options.map((option, place) => (
        <label key={option} className="flex items-center gap-2">
          <input
            id={place === 0 ? fieldId(field.path) : undefined}
            type="checkbox"
            checked={values.includes(option)}
            onChange={(event) =>
              onChange(
                field.options
                  .filter((one) => (one === option ? event.target.checked : values.includes(one)))
                  .join(", "),
              )
            }
          />
          {option}
        </label>
      ))}
    </fieldset>
  );
}

/** Begins to try several values. */
export function VaryButton({ title, onClick }: { title: string; onClick: () => void }) {
  return (
    <button
      type="button"
      onClick={onClick}
      aria-label={`${title}: try several values`}
      title="Try several values: each combination becomes a run of a study"
      className="inline-flex items-center gap-1 whitespace-nowrap text-faint text-xs hover:text-ink"
    >
      <Grid3x3 aria-hidden="true" className="size-3 shrink-0" />
      Try several values
    </button>
  );
}
