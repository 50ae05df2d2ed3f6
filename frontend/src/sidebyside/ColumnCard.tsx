import { Link } from "@tanstack/react-router";
import { Copy } from "../components/Copy";
import { Button } from "../components/ui";
import { number, plural } from "../lib/format";
import { AnswerTokens } from "./AnswerTokens";
import { type Answer, type Column, type Comparison, isOpen } from "./api";
import { diff, likeness } from "./diff";
import type { ComparisonSearch } from "./search";

interface ColumnCardProps {
  found: Comparison;
  column: Column;
  place: number;
  sample: number;
  answer: Answer | undefined;
  /** The answer that it is compared with. */
  against: string | undefined;
  isReference: boolean;
  search: ComparisonSearch;
  onSearch: (part: Partial<ComparisonSearch>) => void;
}

const ENDS = { end: "ended by itself", length: "cut at the longest" } as const;

/** One model's answer. */
export function ColumnCard(props: ColumnCardProps) {
  const { found, column, place, answer, against, search, onSearch } = props;
  const over = !isOpen(found.status);
  const tokens = over && answer && search.tokens === place;
  return (
    <section
      aria-label={`Column ${place + 1}: ${column.label}`}
      className="panel flex min-w-0 flex-col"
    >
      <header className="flex min-h-11 items-center gap-2 border-line border-b bg-sunken px-3 py-1.5">
        <span className="text-faint tabular-nums">{place + 1}</span>
        <h2 className="min-w-0 flex-1 truncate font-medium" title={column.label}>
          {column.run_id ? (
            <Link
              to="/runs/$runId"
              params={{ runId: column.run_id }}
              className="hover:text-accent-text"
            >
              {column.label}
            </Link>
          ) : (
            column.label
          )}
        </h2>
        {props.isReference && <span className="text-faint text-sm">reference</span>}
      </header>
      {tokens ? (
        <AnswerTokens
          comparisonId={found.id}
          column={place}
          sample={props.sample}
          selected={search.token ?? null}
          onSelect={(token) => onSearch({ token: token ?? undefined })}
        />
      ) : (
        <Text answer={answer} against={against} open={!over} />
      )}
      <footer className="mt-auto flex flex-wrap items-center gap-x-3 gap-y-1 border-line border-t px-3 py-1.5 text-faint text-sm tabular-nums">
        {answer && <span>{plural(answer.tokens, "token")}</span>}
        {answer?.end && <span>{ENDS[answer.end]}</span>}
        {answer?.mean_logprob !== null && answer?.mean_logprob !== undefined && (
          <span title="Mean log-probability of its tokens under its own model, nats">
            {number(answer.mean_logprob, 3)} nats
          </span>
        )}
        {against !== undefined && answer && over && (
          <span>{Math.round(likeness(answer.text, against) * 100)} % common words</span>
        )}
        {over && answer && (
          <Button
            small
            variant="ghost"
            className="ml-auto"
            aria-pressed={Boolean(tokens)}
            onClick={() => onSearch({ tokens: tokens ? undefined : place, token: undefined })}
          >
            {tokens ? "Text" : "Tokens"}
          </Button>
        )}
        {answer && over && <Copy compact text={answer.text} label={`Copy answer ${place + 1}`} />}
      </footer>
      {column.prompt && (
        <details className="border-line border-t px-3 py-1.5 text-sm">
          <summary className="cursor-pointer text-muted">
            Prompt{column.prompt_tokens !== null && `, ${plural(column.prompt_tokens, "token")}`}
          </summary>
          <pre
            tabIndex={0}
            className="mt-1 max-h-72 overflow-auto whitespace-pre-wrap break-words font-mono"
          >
            {column.prompt}
          </pre>
        </details>
      )}
    </section>
  );
}

interface TextProps {
  answer: Answer | undefined;
  against: string | undefined;
  open: boolean;
}

/** The answer; words that the reference lacks are underlined and on a ground. */
function Text({ answer, against, open }: TextProps) {
  if (!answer) {
    return (
      <p className="min-h-40 px-3 py-2.5 text-faint">{open ? "Nothing yet." : "No answer."}</p>
    );
  }
  const pieces =
    against === undefined || open
      ? [{ text: answer.text, common: true }]
      : diff(answer.text, against);
  return (
    <div
      data-testid="answer"
      className="min-h-40 whitespace-pre-wrap break-words px-3 py-2.5 leading-6"
    >
      {pieces.map((piece, i) =>
        piece.common ? (
          <span key={i}>{piece.text}</span>
        ) : (
          <mark
            key={i}
            className="rounded-[2px] bg-warn-soft text-ink underline decoration-2 decoration-warn underline-offset-3"
          >
            {piece.text}
          </mark>
        ),
      )}
      {answer.text === "" && <i className="text-faint">empty</i>}
      {open && !answer.end && (
        <span
          aria-hidden="true"
          className="ml-0.5 inline-block h-4 w-1.5 bg-live align-text-bottom"
        />
      )}
    </div>
  );
}
