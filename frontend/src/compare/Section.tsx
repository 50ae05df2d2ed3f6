import { type ReactNode, useId } from "react";

interface SectionProps {
  title: string;
  note?: ReactNode;
  tools?: ReactNode;
  children: ReactNode;
}

/** A part of the page with its heading and its tools. */
export function Section({ title, note, tools, children }: SectionProps) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <h2 id={id} className="font-semibold text-lg">
          {title}
        </h2>
        {tools && (
          <div className="ml-auto flex flex-wrap items-center gap-3 print:hidden">{tools}</div>
        )}
      </div>
      {note && <p className="text-faint text-sm">{note}</p>}
      {children}
    </section>
  );
}
