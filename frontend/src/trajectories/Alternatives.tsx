import type { TokenValues } from "../api/types";
import { number } from "../lib/format";
import { quoted } from "./visible";

interface AlternativesProps {
  title: string;
  token: TokenValues;
  list: TokenValues["student_top"];
  bar: string;
}

/** The likeliest next tokens of one view, with their probabilities. */
export function Alternatives({ title, token, list, bar }: AlternativesProps) {
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

export function chance(share: number): string {
  if (share >= 0.0995) return `${Math.round(share * 100)} %`;
  if (share >= 0.001) return `${(share * 100).toFixed(1)} %`;
  return "< 0.1 %";
}
