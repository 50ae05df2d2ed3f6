import { Fragment } from "react";

/** Text whose `backticked` parts are code. */
export function Inline({ text }: { text: string }) {
  return text.split("`").map((part, i) =>
    i % 2 === 1 ? (
      <code key={i} className="rounded-[3px] bg-sunken px-0.5 font-mono text-[0.92em] text-ink">
        {part}
      </code>
    ) : (
      <Fragment key={i}>{part}</Fragment>
    ),
  );
}
