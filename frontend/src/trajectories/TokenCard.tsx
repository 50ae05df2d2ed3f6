import type { ReactNode } from "react";
import type { TokenValues } from "../api/types";
import { integer, number } from "../lib/format";

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
  const gap = token.teacher_logprob - token.student_logprob;
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
      <table className="w-full text-right text-sm tabular-nums">
        <thead>
          <tr className="eyebrow">
            <th scope="col" className="px-3 pt-2 text-left font-normal">
              nats
            </th>
            <th scope="col" className="px-3 pt-2 font-normal">
              Student
            </th>
            <th scope="col" className="px-3 pt-2 font-normal">
              Teacher
            </th>
          </tr>
        </thead>
        <tbody>
          <Pair
            label="Log-probability"
            student={token.student_logprob}
            teacher={token.teacher_logprob}
          />
          <Pair label="Entropy" student={token.student_entropy} teacher={token.teacher_entropy} />
        </tbody>
      </table>
      <dl className="mt-1 border-line border-y px-3 py-2 text-sm">
        <Line label="Divergence">{number(token.divergence)}</Line>
        <Line label="Gap, teacher − student">
          {gap > 0 ? "+" : ""}
          {number(gap)}
        </Line>
        <Line label="Adds to the step's loss">{number(token.contribution)}</Line>
      </dl>
      <div className="grid grid-cols-2 gap-px bg-line text-sm">
        <Alternatives
          title="Student's choices"
          token={token}
          list={token.student_top}
          bar="bg-(--series-1)"
        />
        <Alternatives
          title="Teacher's choices"
          token={token}
          list={token.teacher_top}
          bar="bg-(--series-2)"
        />
      </div>
    </aside>
  );
}

function Pair({ label, student, teacher }: { label: string; student: number; teacher: number }) {
  return (
    <tr>
      <th scope="row" className="px-3 py-0.5 text-left font-normal text-muted">
        {label}
      </th>
      <td className="px-3 py-0.5">{number(student)}</td>
      <td className="px-3 py-0.5">{number(teacher)}</td>
    </tr>
  );
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4 py-0.5">
      <dt className="text-muted">{label}</dt>
      <dd className="tabular-nums">{children}</dd>
    </div>
  );
}

interface AlternativesProps {
  title: string;
  token: TokenValues;
  list: TokenValues["student_top"];
  bar: string;
}

function Alternatives({ title, token, list, bar }: AlternativesProps) {
  return (
    <div className="min-w-0 bg-surface px-3 py-2">
      <h3 className="eyebrow mb-1.5">{title}</h3>
      <ol className="flex flex-col gap-1.5">
        {list.map((item, i) => {
          const share = Math.exp(item.logprob);
          const sampled = item.text === token.text;
          return (
            <li key={i} title={`log-probability ${number(item.logprob)}`}>
              <div className="flex justify-between gap-2">
                <code className={`truncate font-mono ${sampled ? "font-semibold" : "text-muted"}`}>
                  {quoted(item.text)}
                </code>
                <span className="shrink-0 text-muted text-xs tabular-nums">{chance(share)}</span>
              </div>
              <div aria-hidden="true" className="mt-0.5 h-[3px] rounded-full bg-line">
                <div
                  className={`h-full rounded-full ${bar}`}
                  style={{ width: `${Math.min(1, share) * 100}%` }}
                />
              </div>
            </li>
          );
        })}
      </ol>
    </div>
  );
}

function chance(share: number): string {
  if (share >= 0.0995) return `${Math.round(share * 100)} %`;
  if (share >= 0.001) return `${(share * 100).toFixed(1)} %`;
  return "< 0.1 %";
}

/** Spaces and line breaks made visible. */
function quoted(text: string): string {
  if (text === "") return "∅";
  return text.replaceAll(" ", "␣").replaceAll("\n", "⏎").replaceAll("\t", "⇥");
}
