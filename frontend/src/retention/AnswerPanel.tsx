import { Check, X } from "lucide-react";
import type { Strip } from "../api/types";
import { integer, number } from "../lib/format";
import type { Scale } from "../trajectories/colours";
import type { Example } from "./queries";
import { TokenStrip } from "./TokenStrip";
import { COLOURING, type Colouring } from "./tokens";

interface AnswerPanelProps {
  side: "base" | "tuned";
  item: Example;
  strip: Strip | null;
  by: Colouring;
  scale: Scale;
  selected: number | null;
  onSelect: (index: number) => void;
  onHover: (index: number | null) => void;
}

/** One of the two answers: its grade, its figures and its tokens. */
export function AnswerPanel(props: AnswerPanelProps) {
  const { side, item, strip, by } = props;
  const kept = item.retention;
  const base = side === "base";
  const correct = base ? kept?.base_correct : item.correct;
  const extracted = base ? kept?.base_extracted : item.extracted;
  const text = base ? (kept?.base_answer ?? "") : item.answer;
  const title = base ? "The base's answer" : "The model's answer";
  const values = strip && COLOURING[by].of(strip);
  return (
    <section aria-label={title} className="panel min-w-0 overflow-hidden">
      <div className="border-line border-b bg-sunken px-3 py-1.5">
        <div className="flex flex-wrap items-center justify-between gap-x-4">
          <h2 className="font-medium">{title}</h2>
          <Verdict correct={correct ?? false} extracted={extracted ?? null} />
        </div>
        <p className="text-faint text-sm tabular-nums">
          {strip
            ? `${integer(strip.tokens)} tokens · JSD ${number(strip.jsd, 3)} · log p ${number(strip.base_logprob, 3)} base, ${number(strip.tuned_logprob, 3)} model`
            : "an empty completion: nothing to score"}
        </p>
      </div>
      {strip?.pieces && values ? (
        <TokenStrip
          id={side}
          label={`Tokens of ${base ? "the base's" : "the model's"} answer`}
          strip={strip}
          values={values}
          scale={props.scale}
          selected={props.selected}
          onSelect={props.onSelect}
          onHover={props.onHover}
        />
      ) : (
        <p className="whitespace-pre-wrap break-words p-3">
          {text.trim() ? text : <i className="text-faint">empty</i>}
        </p>
      )}
    </section>
  );
}

function Verdict({ correct, extracted }: { correct: boolean; extracted: string | null }) {
  const Icon = correct ? Check : X;
  return (
    <span
      className={`inline-flex min-w-0 items-center gap-1.5 ${correct ? "text-ok" : "text-bad"}`}
    >
      <Icon aria-hidden="true" className="size-4 shrink-0" />
      {correct ? "right" : "wrong"}
      {extracted !== null && (
        <span className="max-w-40 truncate text-muted" title={`Taken for the answer: ${extracted}`}>
          “{extracted}”
        </span>
      )}
    </span>
  );
}
