import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { useDebounced, useKeys } from "../lib/hooks";

interface NameSearchProps {
  value: string;
  onChange: (value: string) => void;
  label?: string;
  placeholder?: string;
}

/** Types freely, tells the page once one pauses; `/` comes here. */
export function NameSearch({ value, onChange, label, placeholder }: NameSearchProps) {
  const [text, setText] = useState(value);
  const settled = useDebounced(text, 250);
  const input = useRef<HTMLInputElement>(null);
  const told = useRef(value);
  useKeys({ "/": () => input.current?.focus() });
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a pause in typing reports
  useEffect(() => {
    if (settled === told.current) return;
    told.current = settled;
    onChange(settled);
  }, [settled]);
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    setText(value);
  }, [value]);
  return (
    <div className="relative">
      <Search
        aria-hidden="true"
        className="pointer-events-none absolute top-1/2 left-2.5 size-3.5 -translate-y-1/2 text-faint"
      />
      <input
        ref={input}
        type="search"
        aria-label={label ?? "Search runs by name"}
        placeholder={placeholder ?? "Search by name"}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
        className="control w-56 pl-8!"
      />
    </div>
  );
}
