import type { Strip } from "../api/types";
import { signed } from "../compare/figures";
import { integer, number, UNKNOWN } from "../lib/format";

interface TokenCardProps {
  whose: string;
  strip: Strip;
  index: number | null;
  rank: number | null;
  by: string;
}

const probability = (logprob: number | undefined): string =>
  logprob === undefined ? UNKNOWN : number(Math.exp(logprob), 3);

/** What base and model say of one token. */
export function TokenCard({ whose, strip, index, rank, by }: TokenCardProps) {
  const piece = index === null ? undefined : strip.pieces?.[index];
  if (index === null || piece === undefined) {
    return (
      <aside aria-label="Token" className="panel p-3 text-muted text-sm">
        Point at a token, or move with the arrow keys, to see what base and model said there.
      </aside>
    );
  }
  const base = strip.token_base_logprob?.[index];
  const tuned = strip.token_tuned_logprob?.[index];
  return (
    <aside
      aria-label="Token"
      aria-live="polite"
      data-testid="retention-token"
      className="panel overflow-hidden"
    >
      <div className="border-line border-b bg-sunken px-3 py-2">
        <code className="break-all font-medium font-mono">{JSON.stringify(piece)}</code>
        <p className="text-faint text-xs tabular-nums">
          {whose}, token {integer(index + 1)} of {integer(strip.tokens)}
          {rank ? `, rank ${integer(rank)} by ${by}` : ""}
        </p>
      </div>
      <table className="w-full text-right text-sm tabular-nums">
        <thead>
          <tr className="eyebrow">
            <th scope="col" className="px-3 pt-2 text-left font-normal">
              of this token
            </th>
            <th scope="col" className="px-3 pt-2 font-normal">
              Log p, nats
            </th>
            <th scope="col" className="px-3 pt-2 font-normal">
              p
            </th>
          </tr>
        </thead>
        <tbody>
          {(
            [
              ["Base", base],
              ["Model", tuned],
            ] as const
          ).map(([view, logprob]) => (
            <tr key={view}>
              <th scope="row" className="px-3 py-0.5 text-left font-normal text-muted">
                {view}
              </th>
              <td className="px-3 py-0.5">{number(logprob)}</td>
              <td className="px-3 py-0.5">{probability(logprob)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl className="mt-1 border-line border-t px-3 py-2 text-sm tabular-nums">
        <div className="flex justify-between gap-4">
          <dt className="text-muted">Model − base</dt>
          <dd>
            {base === undefined || tuned === undefined
              ? UNKNOWN
              : signed(tuned - base, (value) => number(value))}
          </dd>
        </div>
        <div className="flex justify-between gap-4">
          <dt className="text-muted">JSD, at most 0.693</dt>
          <dd className="font-medium">{number(strip.token_jsd?.[index])}</dd>
        </div>
      </dl>
      {base === undefined && (
        <p className="border-line border-t px-3 py-2 text-muted text-sm">
          This evaluation kept no log-probabilities of single tokens. Evaluate again to have them.
        </p>
      )}
    </aside>
  );
}
