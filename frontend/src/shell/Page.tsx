import { Link, type LinkProps } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { Fragment, type ReactNode } from "react";

export interface Crumb {
  label: ReactNode;
  link?: Pick<LinkProps, "to" | "params" | "search">;
}

interface PageProps {
  crumbs: readonly Crumb[];
  actions?: ReactNode;
  /** False where the page itself begins with a heading. */
  headed?: boolean;
  /** True where the content fills the window and scrolls by itself. */
  filled?: boolean;
  children: ReactNode;
}

/** The top bar with the way here, and the page under it. */
export function Page({ crumbs, actions, headed = true, filled = false, children }: PageProps) {
  const Last = headed ? "h1" : "span";
  return (
    <div className={`flex flex-col ${filled ? "h-full" : "min-h-full"}`}>
      <header className="sticky top-0 z-20 flex h-(--topbar-height) shrink-0 items-center gap-4 border-line border-b bg-surface px-4 md:px-6">
        <nav aria-label="Breadcrumb" className="min-w-0 flex-1">
          <ol className="flex min-w-0 items-center gap-1.5">
            {crumbs.map((crumb, i) => {
              const last = i === crumbs.length - 1;
              return (
                <Fragment key={i}>
                  {i > 0 && (
                    <li aria-hidden="true" className="shrink-0 text-faint">
                      <ChevronRight className="size-3.5" />
                    </li>
                  )}
                  <li className={last ? "min-w-0 truncate" : "shrink-0"}>
                    {crumb.link ? (
                      <Link {...crumb.link} className="text-muted hover:text-ink">
                        {crumb.label}
                      </Link>
                    ) : (
                      <Last aria-current="page" className="truncate font-medium">
                        {crumb.label}
                      </Last>
                    )}
                  </li>
                </Fragment>
              );
            })}
          </ol>
        </nav>
        {actions && <div className="flex shrink-0 items-center gap-2">{actions}</div>}
      </header>
      <div className={`flex flex-1 flex-col ${filled ? "min-h-0" : ""}`}>{children}</div>
    </div>
  );
}
