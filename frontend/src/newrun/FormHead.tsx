import type { RunDetail } from "../api/types";
import { Notice } from "../components/states";
import { Button, Segmented, Switch } from "../components/ui";
import type { NewRunSearch } from "../searches";
import type { RunForm } from "./useRunForm";

interface FormHeadProps {
  form: RunForm;
  search: NewRunSearch;
  source: RunDetail | null;
  onSearch: (next: Partial<NewRunSearch>) => void;
}

/** How the configuration is shown, where it comes from, and the way back. */
export function FormHead({ form, search, source, onSearch }: FormHeadProps) {
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-2">
      <Segmented
        label="Show as"
        value={search.view ?? "form"}
        options={[
          { value: "form", label: "Form" },
          { value: "yaml", label: "YAML" },
          { value: "json", label: "JSON" },
        ]}
        onChange={(view) => onSearch({ view: view === "form" ? undefined : view })}
      />
      {!search.view && (
        <Switch
          checked={search.advanced ?? false}
          onChange={(on) => onSearch({ advanced: on || undefined })}
          testId="advanced"
        >
          Advanced settings
        </Switch>
      )}
      <span className="ml-auto flex items-center gap-3 text-muted text-sm">
        {source && (
          <span>
            Copied from <strong className="font-medium text-ink">{source.name}</strong>
          </span>
        )}
        {form.touched && (
          <Button
            small
            variant="ghost"
            onClick={() => {
              form.reset();
              onSearch({ preset: form.begun ?? undefined });
            }}
          >
            {source ? "Undo all changes" : "Start over"}
          </Button>
        )}
      </span>
    </div>
  );
}

const LINK = "underline underline-offset-2";

/** A text that the fields cannot hold is not lost, and not forgotten. */
export function TextWaits({ form, onSearch }: Pick<FormHeadProps, "form" | "onSearch">) {
  return (
    <Notice tone="warn" title="A text with mistakes waits in the YAML view.">
      <p className="text-muted">
        The form shows what it last understood.{" "}
        <button type="button" className={LINK} onClick={() => onSearch({ view: "yaml" })}>
          Mend it
        </button>{" "}
        or{" "}
        <button type="button" className={LINK} onClick={() => form.setText(null)}>
          throw it away
        </button>
        .
      </p>
    </Notice>
  );
}
