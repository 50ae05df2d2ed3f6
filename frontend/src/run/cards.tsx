import type { ReactNode } from "react";

interface CardProps {
  title: string;
  className?: string;
  children: ReactNode;
}

export function Card({ title, className = "", children }: CardProps) {
  return (
    <section aria-label={title} className={`panel min-w-0 overflow-hidden ${className}`}>
      <h2 className="border-line border-b bg-sunken px-3 py-2 font-medium">{title}</h2>
      {children}
    </section>
  );
}

export const Nothing = ({ children }: { children: ReactNode }) => (
  <p className="px-3 py-4 text-muted">{children}</p>
);

export function Line({ label, children }: { label: ReactNode; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-6 border-line border-b px-3 py-1.5 last:border-b-0">
      <dt className="shrink-0 text-muted">{label}</dt>
      <dd className="min-w-0 break-all text-right">{children}</dd>
    </div>
  );
}
