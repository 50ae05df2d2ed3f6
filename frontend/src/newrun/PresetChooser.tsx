import type { Preset } from "../api/types";
import { Inline } from "../components/Inline";
import { changesSince } from "./presets";
import { type FieldModel, fullTitle } from "./schema";
import type { Config, FormValues } from "./values";

interface PresetChooserProps {
  presets: Preset[];
  chosen: string | undefined;
  fields: FieldModel[];
  values: FormValues;
  defaults: Config;
  onChoose: (preset: Preset) => void;
}

const NAMED_CHANGES = 4;

/** Where the objective starts from; says when it has been changed since. */
export function PresetChooser(props: PresetChooserProps) {
  const { presets, chosen, fields, values, defaults, onChoose } = props;
  const changes = (preset: Preset) => changesSince(preset, fields, values, defaults);
  const preset =
    presets.find((item) => item.name === chosen) ??
    presets.find((item) => changes(item).length === 0);
  const changed = preset ? changes(preset) : [];
  return (
    <section className="panel overflow-hidden" aria-labelledby="preset-title">
      <div className="grid gap-x-8 gap-y-2 px-4 py-3 sm:grid-cols-[minmax(0,1fr)_minmax(0,300px)]">
        <div className="min-w-0">
          <label id="preset-title" htmlFor="preset" className="font-medium">
            Preset
          </label>
          <p id="preset-help" className="text-pretty text-muted text-sm">
            {preset ? (
              <Inline text={preset.summary} />
            ) : (
              "The objective is none of the presets. Choosing one sets objective, teacher and generation; the rest stays."
            )}
          </p>
        </div>
        <select
          id="preset"
          data-testid="preset"
          aria-describedby="preset-help"
          value={preset?.name ?? ""}
          onChange={(event) => {
            const next = presets.find((item) => item.name === event.target.value);
            if (next) onChoose(next);
          }}
          className="control w-full"
        >
          {!preset && <option value="">own settings</option>}
          {presets.map((item) => (
            <option key={item.name} value={item.name}>
              {item.name}
            </option>
          ))}
        </select>
      </div>
      {preset && (
        <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1 border-line border-t bg-sunken px-4 py-2">
          <p data-testid="preset-formula" className="font-serif text-[15px]">
            <Subscripts text={preset.formula} />
          </p>
          {changed.length > 0 && (
            <p data-testid="preset-changes" className="text-muted text-sm">
              Changed since: {titles(changed)}.{" "}
              <button
                type="button"
                onClick={() => onChoose(preset)}
                className="underline decoration-line-strong underline-offset-2 hover:decoration-current"
              >
                Apply again
              </button>
            </p>
          )}
        </div>
      )}
    </section>
  );
}

function titles(fields: FieldModel[]): string {
  const named = fields.slice(0, NAMED_CHANGES).map((field) => fullTitle(field.path));
  const more = fields.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

/** `p_S` as letters and subscripts. */
function Subscripts({ text }: { text: string }) {
  return text
    .split(/_(\p{L}+)/u)
    .map((part, i) => (i % 2 === 1 ? <sub key={i}>{part}</sub> : <span key={i}>{part}</span>));
}
