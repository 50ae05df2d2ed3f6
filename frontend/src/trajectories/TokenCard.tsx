import type { ReactNode } from "react";
import type { TokenValues } from "../api/types";
import { integer, number } from "../lib/format";
import { Alternatives, quoted } from "./Alternatives";
import { gapOf } from "./colours";

interface TokenCardProps {
  token: TokenValues | undefined;
  index: number | null;
  count: number;
  rank: number | null;
  by: string;
}

export function TokenCard({ token, index, count, rank, by }: TokenCardProps) {
  if (!token || index === null) {
    return (
      <aside className="panel p-4 text-muted lg:sticky lg:top-16" aria-label="Token">
        Point at a token, or move with the arrow keys, to see what student and teacher said there.
      </aside>
    );
  }
  return (
    <aside
      className="panel overflow-hidden lg:sticky lg:top-16"
      aria-label="Token"
      aria-live="polite"
      data-testid="token-card"
    >
      <div className="border-line border-b bg-sunken px-3 py-2">
        <div className="flex items-baseline justify-between gap-3">
          <code className="min-w-0 break-all font-medium font-mono">{quoted(token.text)}</code>
          <span className="shrink-0 text-faint text-xs tabular-nums">id {token.id}</span>
        </div>
        <p className="text-faint text-xs tabular-nums">
          token {integer(index + 1)} of {integer(count)}
          {rank ? `, rank ${integer(rank)} by ${by.toLowerCase()}` : ""}
        </p>
      </div>
      <Views token={token} />
      <dl className="border-line border-y px-3 py-2 text-sm">
        <Terms token={token} />
        <Contributions token={token} />
      </dl>
      <div
        className={`grid gap-px bg-line text-sm ${token.teacher_top.length ? "grid-cols-2" : ""}`}
      >
        <Alternatives
          title="Student's choices"
          token={token}
          list={token.student_top}
          bar="bg-(--series-1)"
        />
        {token.teacher_top.length > 0 && (
          <Alternatives
            title="Teacher's choices"
            token={token}
            list={token.teacher_top}
            bar="bg-(--series-2)"
          />
        )}
      </div>
    </aside>
  );
}

type Row = readonly [view: string, logprob: number, entropy: number | null];

/** What every view that was asked says about the sampled token. */
function Views({ token }: { token: TokenValues }) {
  const rows: Row[] = [["Student", token.student_logprob, token.student_entropy]];
  if (token.teacher_logprob !== null) {
    rows.push(["Teacher", token.teacher_logprob, token.teacher_entropy]);
  }
  token.auxiliary_logprobs?.forEach((logprob, i) => {
    rows.push([`Auxiliary teacher ${i + 1}`, logprob, null]);
  });
  if (token.negative_logprob !== null) {
    rows.push(["Negative teacher", token.negative_logprob, null]);
  }
  return (
    <div className="max-h-56 overflow-y-auto pb-1.5">
      <table className="w-full text-right text-sm tabular-nums">
        <thead>
          <tr className="eyebrow">
            {["nats", "Log-probability", "Entropy"].map((title, i) => (
              <th
                key={title}
                scope="col"
                className={`px-3 pt-2 font-normal ${i === 0 ? "text-left" : ""}`}
              >
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([view, logprob, entropy]) => (
            <tr key={view}>
              <th scope="row" className="px-3 py-0.5 text-left font-normal text-muted">
                {view}
              </th>
              <td className="px-3 py-0.5">{number(logprob)}</td>
              <td className="px-3 py-0.5">{entropy === null ? "" : number(entropy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Values of the terms of the loss; those of a mechanism that is off are absent. */
function Terms({ token }: { token: TokenValues }) {
  const gap = gapOf(token);
  const { divergence, divergence_clipped: clipped } = token;
  const isClipped = divergence !== null && clipped !== null && clipped < divergence;
  return (
    <>
      {divergence !== null && <Line label="Divergence">{number(divergence)}</Line>}
      {isClipped && <Line label="Divergence, clipped">{number(clipped)}</Line>}
      {gap !== null && (
        <Line label="Gap, teacher − student">
          {gap > 0 ? "+" : ""}
          {number(gap)}
        </Line>
      )}
      {token.disagreement !== null && (
        <Line label="Disagreement">{number(token.disagreement)}</Line>
      )}
      {token.weight !== null && <Line label="Agreement weight">{number(token.weight)}</Line>}
      {token.contrastive !== null && (
        <Line label="Contrastive term">{number(token.contrastive)}</Line>
      )}
      {token.feature_distance !== null && (
        <Line label="Feature distance">{number(token.feature_distance)}</Line>
      )}
    </>
  );
}

function Contributions({ token }: { token: TokenValues }) {
  const terms = Object.entries(token.contributions);
  return (
    <>
      <Line label="Adds to the step's loss">{number(token.contribution)}</Line>
      {terms.length > 1 &&
        terms.map(([term, value]) => (
          <Line key={term} label={term.replaceAll("_", " ")} inner>
            {number(value)}
          </Line>
        ))}
    </>
  );
}

interface LineProps {
  label: string;
  children: ReactNode;
  inner?: boolean;
}

function Line({ label, children, inner = false }: LineProps) {
  return (
    <div className={`flex justify-between gap-4 py-0.5 ${inner ? "pl-3 text-muted" : ""}`}>
      <dt className="text-muted">{label}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}
