import { ChevronLeft, ChevronRight } from "lucide-react";
import type { Preflight } from "../../api/types";
import { IconButton, Segmented } from "../../components/ui";
import { integer, plural } from "../../lib/format";
import type { NewRunSearch } from "../../searches";
import { Part } from "./Part";
import { beyond, viewKey, viewTitle } from "./words";

type Example = NonNullable<Preflight["example"]>;

interface ViewsPartProps {
  example: Example;
  model: Preflight["model"];
  search: NewRunSearch;
  onSearch: (next: Partial<NewRunSearch>) => void;
}

const ANSWER = "answer";

/** One record behind every view, as the trainer will render it. */
export function ViewsPart({ example, model, search, onSearch }: ViewsPartProps) {
  const { index, records, views } = example;
  const shown = [
    ...views.map((view) => ({
      key: viewKey(view),
      title: viewTitle(view),
      text: view.text,
      note: `${plural(view.tokens, "token")} · ${view.note}`,
    })),
    {
      key: ANSWER,
      title: "Data's answer",
      text: example.reference,
      note: "what cross-entropy trains on, and what the held-out loss is measured with",
    },
  ];
  const current =
    shown.find((one) => one.key === search.sees) ?? shown[Math.min(1, views.length - 1)];
  const student = views.find((one) => one.role === "student")?.text ?? "";
  const taught = current && current.key !== ANSWER && current.key !== "student";
  const go = (next: number) => onSearch({ record: next > 0 ? next + 1 : undefined });
  const said = example.exact
    ? "Word for word what the run will show in its first epoch"
    : views.some((view) => !view.made)
      ? "Texts in ‹…› are made before training and stand for what will be there"
      : "The file is too large to be read whole here: the run may draw other examples";
  return (
    <Part id="views" title="What each teacher sees" said={said}>
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <div className="max-w-full overflow-x-auto">
          <Segmented
            small
            label="View"
            value={current?.key ?? ""}
            options={shown.map(({ key, title }) => ({ value: key, label: title }))}
            onChange={(sees) => onSearch({ sees })}
          />
        </div>
        <div className="flex items-center gap-1 text-muted text-sm">
          <IconButton label="Record before" disabled={index === 0} onClick={() => go(index - 1)}>
            <ChevronLeft className="size-4" />
          </IconButton>
          <span className="tabular-nums">
            Record {integer(index + 1)} of {integer(records)}, line {integer(example.line)}
          </span>
          <IconButton
            label="Next record"
            disabled={index + 1 >= records}
            onClick={() => go(index + 1)}
          >
            <ChevronRight className="size-4" />
          </IconButton>
        </div>
      </div>
      {current && (
        <figure>
          <section
            data-testid="rendered-view"
            tabIndex={0}
            aria-label={`${current.title}: rendered prompt`}
            className="max-h-80 overflow-y-auto whitespace-pre-wrap break-words rounded-control border border-line bg-sunken p-3 font-mono text-sm"
          >
            {taught ? <Marked text={current.text} student={student} /> : current.text}
          </section>
          <figcaption className="mt-1 text-muted text-sm">
            {current.note}
            {taught && "; marked: what the student does not see"}
          </figcaption>
        </figure>
      )}
      <SpecialTokens tokens={model.special_tokens} vocabulary={model.vocabulary} />
    </Part>
  );
}

function Marked({ text, student }: { text: string; student: string }) {
  const [start, end] = beyond(text, student);
  return (
    <>
      {text.slice(0, start)}
      {end > start && (
        <mark className="rounded-[3px] bg-accent-soft text-ink">{text.slice(start, end)}</mark>
      )}
      {text.slice(Math.max(start, end))}
    </>
  );
}

interface SpecialTokensProps {
  tokens: Record<string, string>;
  vocabulary: number | null;
}

function SpecialTokens({ tokens, vocabulary }: SpecialTokensProps) {
  const named = Object.entries(tokens);
  if (named.length === 0) return null;
  return (
    <p className="text-muted text-sm">
      The tokenizer knows {integer(vocabulary)} tokens; special ones:{" "}
      {named.map(([name, token], i) => (
        <span key={name}>
          {i > 0 && ", "}
          {name.replace("_token", "")} <code className="font-mono text-ink">{token}</code>
        </span>
      ))}
      .
    </p>
  );
}
