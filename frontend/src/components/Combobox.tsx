import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";

export interface Suggestion {
  value: string;
  note?: string;
}

interface ComboboxProps {
  id: string;
  value: string;
  suggestions: readonly Suggestion[];
  onChange: (value: string) => void;
  placeholder?: string;
  invalid?: boolean;
  describedBy?: string | undefined;
  testId?: string;
  standsFor?: string;
  className?: string;
}

const SHOWN = 50;

/** Suggestions that hold every word of what is typed. */
export function matching(text: string, suggestions: readonly Suggestion[]): Suggestion[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return suggestions
    .filter(({ value, note }) => {
      const all = `${value} ${note ?? ""}`.toLowerCase();
      return words.every((word) => all.includes(word));
    })
    .slice(0, SHOWN);
}

/** A text field with suggestions to search; anything else can be typed too. */
export function Combobox(props: ComboboxProps) {
  const { id, value, suggestions, onChange } = props;
  const listId = useId();
  const list = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(false);
  const [active, setActive] = useState(-1);
  // What was chosen is no search: the whole list stands open beside it.
  const found = matching(typed ? value : "", suggestions);
  const shown = open && found.length > 0;
  useEffect(() => {
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const close = () => {
    setOpen(false);
    setActive(-1);
  };
  const choose = (suggestion: Suggestion) => {
    onChange(suggestion.value);
    setTyped(false);
    close();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      if (!open) setOpen(true);
      else setActive((active + step + found.length) % found.length);
    } else if (event.key === "Enter" && shown && found[active]) {
      event.preventDefault();
      choose(found[active]);
    } else if (event.key === "Escape" && open) {
      event.stopPropagation();
      close();
    }
  };
  return (
    <div className={`relative ${props.className ?? ""}`}>
      <input
        id={id}
        type="text"
        role="combobox"
        aria-expanded={shown}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={shown && active >= 0 ? `${listId}-${active}` : undefined}
        aria-invalid={props.invalid}
        aria-describedby={props.describedBy}
        data-testid={props.testId}
        data-stands-for={props.standsFor}
        autoComplete="off"
        spellCheck={false}
        placeholder={props.placeholder}
        value={value}
        onChange={(event) => {
          setTyped(true);
          setOpen(true);
          setActive(-1);
          onChange(event.target.value);
        }}
        onClick={() => setOpen(true)}
        onBlur={close}
        onKeyDown={onKey}
        className="control w-full"
      />
      {shown && (
        <div
          id={listId}
          ref={list}
          role="listbox"
          tabIndex={-1}
          aria-label="Suggestions"
          className="absolute top-full right-0 left-0 z-40 mt-1 max-h-72 overflow-auto rounded-panel border border-line-strong bg-raised py-1 shadow-overlay"
        >
          {found.map((suggestion, place) => (
            <div
              key={suggestion.value}
              id={`${listId}-${place}`}
              role="option"
              tabIndex={-1}
              aria-selected={place === active}
              onPointerDown={(event) => {
                // The field keeps the focus.
                event.preventDefault();
                choose(suggestion);
              }}
              className="cursor-pointer px-2.5 py-1.5 hover:bg-hover aria-selected:bg-accent-soft"
            >
              <p className="break-all">{suggestion.value}</p>
              {suggestion.note && <p className="text-muted text-sm">{suggestion.note}</p>}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}
