import type { Strip } from "../api/types";
import { number } from "../lib/format";

const LN2 = Math.LN2;

/** A completion's tokens, each as dark as base and tuned model are apart there (JSD, 0 to ln 2). */
export function JsdStrip({ title, strip }: { title: string; strip: Strip }) {
  const pieces = strip.pieces ?? [];
  const values = strip.token_jsd ?? [];
  return (
    <div className="min-w-0">
      <h3 className="eyebrow mb-1 flex justify-between gap-4">
        {title}
        <span className="normal-case tabular-nums">
          JSD {number(strip.jsd, 3)} · log p {number(strip.base_logprob, 3)} under the base,{" "}
          {number(strip.tuned_logprob, 3)} tuned
        </span>
      </h3>
      <p className="whitespace-pre-wrap break-words rounded-control bg-sunken p-2 font-mono text-sm">
        {pieces.map((piece, index) => {
          const value = values[index] ?? 0;
          const share = Math.round((value / LN2) * 70);
          return (
            <span
              key={index}
              title={`JSD ${number(value, 3)} nats`}
              style={{
                backgroundColor: `color-mix(in oklab, var(--series-2) ${share}%, transparent)`,
              }}
            >
              {piece}
            </span>
          );
        })}
      </p>
    </div>
  );
}
