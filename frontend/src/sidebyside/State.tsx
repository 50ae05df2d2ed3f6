import { Ban, Check, CircleAlert, Hourglass, LoaderCircle } from "lucide-react";
import { Notice, ProblemNotice } from "../components/states";
import { integer, number, plural } from "../lib/format";
import type { Comparison } from "./api";

const WORDS = {
  queued: ["Queued", Hourglass, "text-muted"],
  loading: ["Loading model", LoaderCircle, "text-live"],
  generating: ["Generating", LoaderCircle, "text-live"],
  done: ["Done", Check, "text-ok"],
  failed: ["Failed", CircleAlert, "text-bad"],
  cancelled: ["Cancelled", Ban, "text-muted"],
} as const;

export function StateWord({ status }: { status: Comparison["status"] }) {
  const [word, Icon, tone] = WORDS[status];
  const turns = status === "loading" || status === "generating";
  return (
    <span className={`inline-flex w-32 items-center gap-1.5 whitespace-nowrap text-sm ${tone}`}>
      <Icon
        aria-hidden="true"
        className={`size-4 shrink-0 ${turns ? "animate-spin motion-reduce:animate-none" : ""}`}
      />
      {word}
    </span>
  );
}

/** How far it is, what it waits for, or why it failed. */
export function State({ found }: { found: Comparison }) {
  const tokens = found.answers.reduce((sum, one) => sum + one.tokens, 0);
  return (
    <div className="flex flex-col gap-2">
      <p
        role="status"
        data-testid="comparison-state"
        className="flex flex-wrap items-center gap-x-3 text-muted text-sm tabular-nums"
      >
        <StateWord status={found.status} />
        {found.cancelling && found.status !== "cancelled" && <span>Ends at the next token…</span>}
        {found.status === "loading" && found.detail && <span>{found.detail}…</span>}
        {tokens > 0 && <span>{plural(tokens, "token")}</span>}
        {found.first_token_seconds !== null && (
          <span>first after {number(found.first_token_seconds, 2)} s</span>
        )}
        {found.tokens_per_second !== null && (
          <span>{integer(Math.round(found.tokens_per_second))} tokens/s</span>
        )}
      </p>
      {found.waiting.length > 0 && (
        <Notice tone="warn" testId="comparison-waiting" title={found.waiting[0]}>
          {found.waiting.slice(1).map((reason) => (
            <p key={reason} className="text-muted">
              {reason}
            </p>
          ))}
        </Notice>
      )}
      {found.problem && <ProblemNotice problem={found.problem} />}
    </div>
  );
}
