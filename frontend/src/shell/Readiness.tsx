import { useQuery } from "@tanstack/react-query";
import { asApiError } from "../api/client";
import { readinessQuery } from "../api/queries";
import { Popover } from "../components/Popover";

const NAMES: Record<string, string> = { database: "Database", redis: "Redis", workers: "Workers" };

interface Line {
  name: string;
  ok: boolean;
  detail: string;
}

interface Verdict {
  tone: "ok" | "warn" | "bad" | "unknown";
  words: string;
  lines: Line[];
}

function useReadiness(): Verdict {
  const { data, error } = useQuery(readinessQuery);
  if (error) {
    const problem = asApiError(error);
    return {
      tone: "bad",
      words: "Not connected",
      lines: [{ name: "Server", ok: false, detail: problem.message }],
    };
  }
  if (!data) return { tone: "unknown", words: "Checking…", lines: [] };
  const lines = Object.entries(data.checks).map(([key, check]) => ({
    name: NAMES[key] ?? key,
    ...check,
  }));
  const failing = Object.entries(data.checks).filter(([, check]) => !check.ok);
  if (failing.length === 0) return { tone: "ok", words: "All systems ready", lines };
  if (failing.every(([key]) => key === "workers")) {
    return { tone: "warn", words: "No worker connected", lines };
  }
  return { tone: "bad", words: "Not ready", lines };
}

const DOTS = { ok: "bg-ok", warn: "bg-warn", bad: "bg-bad", unknown: "bg-line-strong" };

export function Readiness({ collapsed }: { collapsed: boolean }) {
  const verdict = useReadiness();
  return (
    <Popover
      className="bottom-full left-0 mb-2 w-72 p-3"
      button={({ open, toggle }) => (
        <button
          type="button"
          aria-expanded={open}
          aria-label={`Connection: ${verdict.words}`}
          title={verdict.words}
          data-testid="readiness"
          data-tone={verdict.tone}
          onClick={toggle}
          className="flex h-8 w-full items-center gap-2.5 rounded-control px-2.5 text-muted text-sm hover:bg-hover hover:text-ink"
        >
          <span className="flex size-4 shrink-0 items-center justify-center">
            <span aria-hidden="true" className={`size-2 rounded-full ${DOTS[verdict.tone]}`} />
          </span>
          {!collapsed && <span className="truncate">{verdict.words}</span>}
        </button>
      )}
    >
      {() => <Details verdict={verdict} />}
    </Popover>
  );
}

function Details({ verdict }: { verdict: Verdict }) {
  return (
    <>
      <ul className="flex flex-col gap-2.5">
        {verdict.lines.map((line) => (
          <li key={line.name} className="flex gap-2.5">
            <span
              aria-hidden="true"
              className={`mt-1.5 size-2 shrink-0 rounded-full ${line.ok ? "bg-ok" : line.name === "Workers" ? "bg-warn" : "bg-bad"}`}
            />
            <span className="min-w-0">
              <span className="block font-medium text-sm">
                {line.name}
                <span className="sr-only">{line.ok ? ": ready" : ": not ready"}</span>
              </span>
              <span className="block break-words text-muted text-sm">
                {line.detail || (line.ok ? "ready" : "not ready")}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {verdict.tone === "warn" && (
        <p className="mt-3 border-line border-t pt-2.5 text-muted text-sm">
          Runs wait in the queue until a worker is there. Start one with{" "}
          <code className="font-mono text-ink">unisd worker</code>.
        </p>
      )}
    </>
  );
}
