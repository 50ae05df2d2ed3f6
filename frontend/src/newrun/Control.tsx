import { useQuery } from "@tanstack/react-query";
import { modelsQuery, workersQuery } from "../api/queries";
import { Combobox } from "../components/Combobox";
import { Segmented, Switch } from "../components/ui";
import { plural } from "../lib/format";
import type { FieldModel } from "./schema";

interface ControlProps {
  id: string;
  field: FieldModel;
  value: string | boolean;
  invalid: boolean;
  describedBy: string;
  onChange: (value: string | boolean) => void;
}

export function Control(props: ControlProps) {
  const { id, field, value, invalid, describedBy, onChange } = props;
  const shared = {
    id,
    "data-testid": `field-${field.path}`,
    "aria-invalid": invalid,
    "aria-describedby": describedBy,
  };
  if (field.kind === "boolean") {
    return (
      <Switch
        id={id}
        testId={`field-${field.path}`}
        describedBy={describedBy}
        checked={value === true}
        onChange={onChange}
      >
        {value === true ? "On" : "Off"}
      </Switch>
    );
  }
  const text = String(value);
  if (field.kind === "choice") {
    return (
      <select
        {...shared}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        className="control w-full"
      >
        {field.nullable && <option value="">none</option>}
        {field.options.map((option) => (
          <option key={option} value={option}>
            {option}
          </option>
        ))}
      </select>
    );
  }
  if (field.kind === "longtext") {
    return (
      <textarea
        {...shared}
        value={text}
        rows={Math.min(14, Math.max(3, text.split("\n").length + 1))}
        spellCheck={false}
        onChange={(event) => onChange(event.target.value)}
        className="control h-auto! w-full resize-y py-2 font-mono text-sm"
      />
    );
  }
  if (field.path === "model.name") return <ModelControl {...props} />;
  if (field.path === "schedule.labels") return <LabelsControl {...props} />;
  if (field.path === "objective.alpha") {
    return <AlphaControl {...props} />;
  }
  return <TextControl {...props} />;
}

function TextControl(props: ControlProps & { list?: string }) {
  const { id, field, value, invalid, describedBy, onChange } = props;
  const numeric = field.kind === "integer" || field.kind === "number";
  const monospace = field.kind === "list" || field.path.endsWith("path");
  return (
    <div className="relative">
      <input
        id={id}
        data-testid={`field-${field.path}`}
        aria-invalid={invalid}
        aria-describedby={describedBy}
        type="text"
        list={props.list}
        inputMode={numeric ? "decimal" : "text"}
        autoComplete="off"
        spellCheck={false}
        value={String(value)}
        placeholder={field.nullable ? "empty" : ""}
        onChange={(event) => onChange(event.target.value)}
        className={`control w-full ${monospace ? "font-mono text-sm" : ""} ${field.unit ? "pr-24!" : ""}`}
      />
      {field.unit && (
        <span className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2 text-faint text-sm">
          {field.unit}
        </span>
      )}
    </div>
  );
}

/** Models on the server's machine and of earlier runs; any other can be typed. */
function ModelControl({ id, field, value, invalid, describedBy, onChange }: ControlProps) {
  const list = useQuery(modelsQuery);
  const suggestions = (list.data?.items ?? []).map(({ name, here, runs }) => ({
    value: name,
    note: [here && "on this machine", runs > 0 && plural(runs, "earlier run")]
      .filter(Boolean)
      .join(", "),
  }));
  return (
    <Combobox
      id={id}
      testId={`field-${field.path}`}
      value={String(value)}
      suggestions={suggestions}
      invalid={invalid}
      describedBy={describedBy}
      onChange={onChange}
    />
  );
}

/** Labels that connected workers carry; any others can be typed. */
function LabelsControl(props: ControlProps) {
  const list = useQuery(workersQuery);
  const known = [...new Set((list.data?.items ?? []).flatMap((worker) => worker.labels))].sort();
  return (
    <>
      <TextControl {...props} list={`${props.id}-known`} />
      <datalist id={`${props.id}-known`}>
        {known.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
    </>
  );
}

const PRESETS = [
  { value: "0", label: "Forward KL" },
  { value: "0.5", label: "JSD" },
  { value: "1", label: "Reverse KL" },
] as const;

/** The three named divergences, and any mixture between them. */
function AlphaControl(props: ControlProps) {
  const alpha = String(props.value).trim() === "" ? Number.NaN : Number(props.value);
  const preset = PRESETS.find((item) => Number(item.value) === alpha)?.value ?? "";
  return (
    <div className="flex flex-col items-start gap-2">
      <Segmented<string>
        label="Named divergences"
        value={preset}
        options={PRESETS}
        onChange={props.onChange}
      />
      <div className="flex w-full items-center gap-3">
        <input
          type="range"
          aria-label="Alpha"
          min={0}
          max={1}
          step={0.05}
          value={Number.isFinite(alpha) ? alpha : 0}
          onChange={(event) => props.onChange(event.target.value)}
          className="min-w-0 flex-1"
        />
        <div className="w-20">
          <TextControl {...props} />
        </div>
      </div>
    </div>
  );
}
