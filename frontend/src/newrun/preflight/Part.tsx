import type { ReactNode } from "react";
import type { Tone } from "./words";

const DOTS: Record<Tone, string> = {
  ok: "bg-ok",
  warn: "bg-warn rounded-[2px]!",
  bad: "bg-bad rotate-45 rounded-[1px]!",
  idle: "border border-idle",
};

const CHIPS: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
  idle: "bg-idle-soft text-idle",
};

/** A sign beside words that say the same. */
export function Dot({ tone }: { tone: Tone }) {
  return (
    <span
      aria-hidden="true"
      className={`inline-block size-1.5 shrink-0 rounded-full ${DOTS[tone]}`}
    />
  );
}

export function Chip({ tone, children }: { tone: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex h-[22px] items-center gap-1.5 whitespace-nowrap rounded-full px-2 font-medium text-xs ${CHIPS[tone]}`}
    >
      <Dot tone={tone} />
      {children}
    </span>
  );
}

interface PartProps {
  id: string;
  title: string;
  /** What it comes to. */
  said: ReactNode;
  children?: ReactNode;
}

/** One thing that is looked at. */
export function Part({ id, title, said, children }: PartProps) {
  return (
    <section aria-labelledby={`preflight-${id}`} className="flex flex-col gap-2.5 px-4 py-3">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5">
        <h3 id={`preflight-${id}`} className="font-medium">
          {title}
        </h3>
        <p className="text-muted text-sm">{said}</p>
      </div>
      {children}
    </section>
  );
}

export const HEAD = "h-8 px-3 text-left whitespace-nowrap first:pl-0 last:pr-0";
export const CELL = "px-3 py-1.5 align-top first:pl-0 last:pr-0";
