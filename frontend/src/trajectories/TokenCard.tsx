import { memo, type ReactNode } from "react";
import type { TokenValues, TrajectoryDetail } from "../api/types";
import { integer, number } from "../lib/format";
import { Alternatives, chance } from "./Alternatives";
import { gapOf, LOOKS } from "./colours";
import { shownOf, usePlace } from "./cursor";
import type { Quantity } from "./search";
import type { View } from "./views";
import { quoted } from "./visible";
import { type Outcome, TERMS, type Term } from "./whatif";

interface TokenCardProps {
  item: TrajectoryDetail;
  views: readonly View[];
  rank: readonly (number | null)[];
  by: Quantity;
  /** By the run's own settings, and by changed ones. */
  before: Outcome | null;
  after: Outcome | null;
}

export const TERM_WORDS: Record<Term, string> = {
  divergence: "Divergence",
  contrastive: "Contrastive",
  feature_matching: "Feature matching",
  cross_entropy: "Cross-entropy",
};

const PLACE = "panel lg:sticky lg:top-16";

/** What was said of the token under the pointer, else of the chosen one. */
export const TokenCard = memo(function TokenCard(props: TokenCardProps) {
  const { item, views, rank, by, before, after } = props;
  const index = shownOf(usePlace());
  const token = index === null ? undefined : item.token_values[index];
  if (!token || index === null) {
    return (
      <aside className={`${PLACE} p-4 text-muted`} aria-label="Token">
        Point at a token, or move with the arrow keys, to see what student and teachers said there.
      </aside>
    );
  }
  const at = { token, index };
  return (
    <aside
      className={`${PLACE} overflow-hidden lg:max-h-[calc(100vh-5rem)] lg:overflow-y-auto`}
      aria-label="Token"
      tabIndex={0}
      data-testid="token-card"
    >
      <div className="border-line border-b bg-sunken px-3 py-2">
        <div className="flex items-baseline justify-between gap-3">
          <code className="min-w-0 break-all font-medium font-mono">{quoted(token.text)}</code>
          <span className="shrink-0 text-faint text-xs tabular-nums">id {token.id}</span>
        </div>
        <p className="text-faint text-xs tabular-nums" aria-live="polite">
          token {integer(index + 1)} of {integer(item.token_values.length)}
          {rank[index] ? `, rank ${integer(rank[index])} by ${LOOKS[by].label.toLowerCase()}` : ""}
        </p>
      </div>
      <Views {...at} views={views} />
      <dl className="border-line border-y px-3 py-2 text-sm">
        <Values {...at} after={after} />
        <Parts {...at} before={before} after={after} />
      </dl>
      <div className="grid grid-cols-2 gap-px bg-line text-sm">
        {views.map((view, i) => {
          const list = view.top(token);
          if (!list.length) return null;
          const bar = i === 0 ? "bg-(--series-1)" : "bg-(--series-2)";
          return <Alternatives key={view.key} title={view.name} {...at} list={list} bar={bar} />;
        })}
      </div>
    </aside>
  );
});

interface At {
  token: TokenValues;
  index: number;
}

const HEADS = ["View", "Log-prob.", "Probability", "Entropy"];

/** What every view that was asked says about the sampled token. */
function Views({ token, index, views }: At & { views: readonly View[] }) {
  return (
    <table className="mb-1.5 w-full text-right text-sm tabular-nums">
      <caption className="sr-only">Token {index + 1} under each view, in nats</caption>
      <thead>
        <tr className="eyebrow">
          {HEADS.map((title, i) => (
            <th
              key={title}
              scope="col"
              className={`pt-2 font-normal ${i === 0 ? "pl-3 text-left" : "pr-3"}`}
            >
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {views.map((view) => {
          const said = view.logprob(token);
          const entropy = view.entropy(token);
          return (
            <tr key={view.key} title={view.note}>
              <th scope="row" className="py-0.5 pl-3 text-left font-normal text-muted">
                {view.name}
              </th>
              <td className="py-0.5 pr-3">{number(said)}</td>
              <td className="py-0.5 pr-3">{said === null ? "" : chance(Math.exp(said))}</td>
              <td className="py-0.5 pr-3">{entropy === null ? "" : number(entropy, 3)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Values of the terms of the loss; those of a mechanism that is off are absent. */
function Values({ token, index, after }: At & { after: Outcome | null }) {
  const gap = gapOf(token);
  const { divergence } = token;
  const clipped = after ? (after.clipped?.[index] ?? divergence) : token.divergence_clipped;
  const isClipped = divergence !== null && typeof clipped === "number" && clipped < divergence;
  return (
    <>
      {divergence !== null && <Line label="Divergence">{number(divergence)}</Line>}
      {isClipped && (
        <Line label="Divergence, clipped">
          {number(clipped)}
          {after && <Changed />}
        </Line>
      )}
      {gap !== null && (
        <Line label="Gap, teacher − student">
          {gap > 0 ? "+" : ""}
          {number(gap)}
        </Line>
      )}
      <Tried label="Disagreement" was={token.disagreement} is={after?.disagreement?.[index]} />
      <Tried label="Agreement weight" was={token.weight} is={after?.weight?.[index]} />
      <Tried
        label="Contrastive term"
        was={token.contrastive}
        is={token.contrastive === null ? null : after?.contrastive?.[index]}
      />
      <Tried label="Feature distance" was={token.feature_distance} />
    </>
  );
}

interface PartsProps extends At {
  before: Outcome | null;
  after: Outcome | null;
}

/** The token's part of the loss of this trajectory, and of its step. */
function Parts({ token, index, before, after }: PartsProps) {
  const terms = TERMS.filter((term) => before?.shares[term] || after?.shares[term]);
  const sum = (outcome: Outcome | null) =>
    outcome && terms.reduce((total, term) => total + (outcome.shares[term]?.[index] ?? 0), 0);
  return (
    <>
      <Tried label="Adds to this trajectory's loss" was={sum(before)} is={sum(after)} />
      {terms.length > 1 &&
        terms.map((term) => (
          <Tried
            key={term}
            inner
            label={TERM_WORDS[term]}
            was={before?.shares[term]?.[index] ?? 0}
            is={after && (after.shares[term]?.[index] ?? 0)}
          />
        ))}
      {token.contribution !== null && (
        <Line label="Added to the step's loss">{number(token.contribution)}</Line>
      )}
    </>
  );
}

interface TriedProps {
  label: string;
  was: number | null;
  /** With the changed settings. */
  is?: number | null | undefined;
  inner?: boolean;
}

/** A value as it was, and as it would be where that differs. */
function Tried({ label, was, is, inner = false }: TriedProps) {
  if (was === null && typeof is !== "number") return null;
  const differs = typeof is === "number" && number(is) !== number(was);
  return (
    <Line label={label} inner={inner}>
      {number(was)}
      {differs && (
        <>
          {" → "}
          {number(is)}
          <Changed />
        </>
      )}
    </Line>
  );
}

const Changed = () => <span className="sr-only"> with the changed settings</span>;

function Line({ label, children, inner }: { label: string; children: ReactNode; inner?: boolean }) {
  return (
    <div className={`flex justify-between gap-4 py-0.5 ${inner ? "pl-3" : ""}`}>
      <dt className="text-muted">{label}</dt>
      <dd className="text-right tabular-nums">{children}</dd>
    </div>
  );
}
