import { Skeleton } from "../../components/ui";
import type { PreflightState } from "../useValidation";
import { Dot } from "./Part";
import { PREFLIGHT_ID, UNFINISHED } from "./PreflightPanel";
import { findings } from "./words";

/** The preflight at a glance, beside the form. */
export function PreflightSummary({ state, runs }: { state: PreflightState; runs: number }) {
  const { data, error, stale, unfinished } = state;
  return (
    <section className="panel" aria-label="Preflight at a glance">
      <h2 className="flex items-baseline justify-between border-line border-b px-4 py-2.5 font-semibold">
        {runs > 1 ? "Preflight of one run" : "Preflight"}
        <a
          href={`#${PREFLIGHT_ID}`}
          onClick={(event) => {
            event.preventDefault();
            document.getElementById(PREFLIGHT_ID)?.scrollIntoView({ behavior: "smooth" });
          }}
          className="font-normal text-muted text-sm underline decoration-line-strong underline-offset-2 hover:decoration-current"
        >
          Details
        </a>
      </h2>
      {data ? (
        <dl className={`flex flex-col px-4 py-2 ${stale ? "opacity-60" : ""}`}>
          {findings(data).map(({ label, text, tone }) => (
            <div key={label} className="flex justify-between gap-4 py-1">
              <dt className="shrink-0 text-muted">{label}</dt>
              <dd className="inline-flex min-w-0 items-baseline gap-2 break-words text-right">
                <span className="min-w-0">{text}</span>
                <span className="relative top-[-2px]">
                  <Dot tone={tone} />
                </span>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <div className="px-4 py-2">
          {error ? (
            <p className="py-1.5 text-muted text-sm">
              {unfinished ? UNFINISHED : "The server did not answer."}
            </p>
          ) : (
            <Skeleton className="my-1 h-[132px]" />
          )}
        </div>
      )}
    </section>
  );
}
