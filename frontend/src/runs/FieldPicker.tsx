import { useEffect, useId, useMemo, useRef, useState } from "react";
import type { Field } from "./fields";
import { useFields } from "./useFields";

const SHOWN = 60;

interface FieldPickerProps {
  label: string;
  onPick: (field: Field) => void;
  without?: readonly string[];
}

/** Finds a field by its name among hundreds; arrows choose, Enter takes. */
export function FieldPicker({ label, onPick, without = [] }: FieldPickerProps) {
  const { fields, whole } = useFields();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const [due, setDue] = useState(false);
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  // The panel was opened to type here; it may not have its place yet, so nothing scrolls to it.
  useEffect(() => input.current?.focus({ preventScroll: true }), []);
  const found = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    const fit = fields.filter(
      (field) => !without.includes(field.id) && field.label.toLowerCase().includes(wanted),
    );
    return fit.slice(0, SHOWN);
  }, [fields, text, without]);
  const index = Math.min(at, Math.max(0, found.length - 1));
  const take = (field: Field | undefined) => {
    setDue(!(field || whole)); // whoever types faster than the names arrive gets theirs then
    if (field) onPick(field);
  };
  useEffect(() => {
    if (!(due && whole)) return;
    setDue(false);
    if (found[0]) onPick(found[0]);
  }, [due, whole, found, onPick]);
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === "ArrowDown") setAt(Math.min(index + 1, found.length - 1));
    else if (event.key === "ArrowUp") setAt(Math.max(index - 1, 0));
    else if (event.key === "Enter") take(found[index]);
    else return;
    event.preventDefault();
  };
  return (
    <div>
      <input
        ref={input}
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={`${id}-list`}
        aria-activedescendant={found.length ? `${id}-${index}` : undefined}
        value={text}
        placeholder="Name, metric or setting"
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
          setDue(false);
        }}
        onKeyDown={onKeyDown}
        className="control w-full"
      />
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label="Fields"
        className="mt-1 max-h-64 overflow-y-auto"
      >
        {found.map((field, i) => (
          <div key={field.id}>
            {field.place !== found[i - 1]?.place && (
              <div className="eyebrow px-2 pt-2 pb-0.5">{field.place}</div>
            )}
            {/* biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the text field's */}
            <div
              id={`${id}-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === index}
              onClick={() => take(field)}
              onPointerMove={() => setAt(i)}
              className="flex h-7 cursor-pointer items-center rounded-control px-2 text-sm aria-selected:bg-accent-soft"
            >
              <span className="truncate" title={field.label}>
                {field.label}
              </span>
            </div>
          </div>
        ))}
        {found.length === 0 && (
          <p className="px-2 py-4 text-center text-muted text-sm">
            {whole ? "Nothing has this name." : "Loading…"}
          </p>
        )}
      </div>
    </div>
  );
}
