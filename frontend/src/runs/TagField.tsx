import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { client, unwrap } from "../api/client";

interface TagFieldProps {
  label: string;
  tags: readonly string[];
  onChange: (tags: string[]) => void;
  focus?: boolean;
}

const known = {
  queryKey: ["runs", "groups", "tag", "all"],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    unwrap(client.GET("/api/runs/groups", { params: { query: { by: "tag" } }, signal })),
  staleTime: 10_000,
};

/** Tags as words: Enter or a comma ends one, Backspace takes the last away. */
export function TagField({ label, tags, onChange, focus = false }: TagFieldProps) {
  const [text, setText] = useState("");
  const id = useId();
  const { data } = useQuery(known);
  const take = (typed: string) => {
    const fresh = typed
      .split(",")
      .map((one) => one.trim().slice(0, 64))
      .filter((one) => one && !tags.includes(one));
    if (fresh.length) onChange([...tags, ...new Set(fresh)]);
    setText("");
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1 block font-medium text-ink text-sm">
        {label}
      </label>
      <div className="flex min-h-8 flex-wrap items-center gap-1 rounded-control border border-line-strong bg-surface px-1.5 py-1 focus-within:border-accent">
        {tags.map((tag) => (
          <span
            key={tag}
            className="inline-flex items-center rounded-full bg-sunken pl-2 text-ink text-sm"
          >
            {tag}
            <button
              type="button"
              aria-label={`Leave out ${tag}`}
              onClick={() => onChange(tags.filter((one) => one !== tag))}
              className="flex size-5 items-center justify-center text-muted hover:text-ink"
            >
              <X aria-hidden="true" className="size-3" />
            </button>
          </span>
        ))}
        <input
          id={id}
          list={`${id}-known`}
          data-autofocus={focus || undefined}
          value={text}
          placeholder={tags.length ? "" : "Tag, then Enter"}
          onChange={(event) => {
            if (event.target.value.includes(",")) take(event.target.value);
            else setText(event.target.value);
          }}
          onBlur={() => text.trim() && take(text)}
          onKeyDown={(event) => {
            if (event.key === "Enter") {
              event.preventDefault();
              take(text);
            } else if (event.key === "Backspace" && text === "") {
              onChange(tags.slice(0, -1));
            }
          }}
          className="min-w-24 flex-1 bg-transparent outline-none"
        />
        <datalist id={`${id}-known`}>
          {data?.items
            .filter((one) => one.value)
            .map((one) => (
              <option key={one.value} value={one.value} />
            ))}
        </datalist>
      </div>
    </div>
  );
}
