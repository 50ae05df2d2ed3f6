import type { AgreementReport } from "../api/trajectoryQueries";
import { integer, number, percent } from "../lib/format";

type Bin = AgreementReport["reliability"][number];

const WIDTH = 640;
const HEIGHT = 220;
const LEFT = 44;
const BOTTOM = 40;
const TOP = 10;

const y = (share: number) => TOP + (1 - share) * (HEIGHT - TOP - BOTTOM);

/** Share of right answers by disagreement, each bin with its interval. */
export function Reliability({ bins }: { bins: readonly Bin[] }) {
  const room = (WIDTH - LEFT) / bins.length;
  const x = (i: number) => LEFT + room * (i + 0.5);
  const known = bins.map((bin) => bin.grade.estimate ?? 0);
  const path = known.map((share, i) => `${i ? "L" : "M"}${x(i)} ${y(share)}`).join("");
  return (
    <figure>
      <svg
        role="img"
        aria-label="Share of right answers by disagreement; the table beside it has the numbers"
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        className="w-full max-w-3xl text-xs"
      >
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <g key={share}>
            <line x1={LEFT} x2={WIDTH} y1={y(share)} y2={y(share)} stroke="var(--line)" />
            <text x={LEFT - 8} y={y(share) + 4} textAnchor="end" fill="var(--text-muted)">
              {share * 100} %
            </text>
          </g>
        ))}
        <path d={path} fill="none" stroke="var(--series-1)" strokeWidth={1.5} />
        {bins.map((bin, i) => (
          <g key={bin.low} stroke="var(--series-1)" strokeWidth={1.5}>
            {bin.grade.low != null && bin.grade.high != null && (
              <>
                <line x1={x(i)} x2={x(i)} y1={y(bin.grade.low)} y2={y(bin.grade.high)} />
                {[bin.grade.low, bin.grade.high].map((end, side) => (
                  <line key={side} x1={x(i) - 4} x2={x(i) + 4} y1={y(end)} y2={y(end)} />
                ))}
              </>
            )}
            <circle cx={x(i)} cy={y(bin.grade.estimate ?? 0)} r={4} fill="var(--series-1)" />
            <text
              x={x(i)}
              y={HEIGHT - BOTTOM + 16}
              textAnchor="middle"
              stroke="none"
              fill="var(--text-muted)"
            >
              ≤ {number(bin.high, 2)}
            </text>
          </g>
        ))}
        <text x={(LEFT + WIDTH) / 2} y={HEIGHT - 6} textAnchor="middle" fill="var(--text-muted)">
          mean disagreement of the rollout, from agreed to disputed
        </text>
      </svg>
    </figure>
  );
}

export function ReliabilityTable({ bins }: { bins: readonly Bin[] }) {
  return (
    <table className="w-full text-left text-sm tabular-nums">
      <thead>
        <tr className="eyebrow border-line border-b">
          <th scope="col" className="h-8 pr-3 font-normal">
            Disagreement
          </th>
          <th scope="col" className="px-3 text-right font-normal">
            Rollouts
          </th>
          <th scope="col" className="px-3 text-right font-normal">
            Right
          </th>
          <th scope="col" className="pl-3 text-right font-normal" title="Wilson's interval">
            95 % interval
          </th>
        </tr>
      </thead>
      <tbody>
        {bins.map((bin) => (
          <tr key={bin.low} className="border-line border-b">
            <td className="py-1.5 pr-3">
              {number(bin.low, 3)} – {number(bin.high, 3)}
            </td>
            <td className="px-3 text-right">{integer(bin.grade.n)}</td>
            <td className="px-3 text-right">{percent(bin.grade.estimate)}</td>
            <td className="pl-3 text-right text-muted">
              {percent(bin.grade.low)} – {percent(bin.grade.high)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the curve says, in words. */
export function verdict(found: AgreementReport["separation"]): string {
  if (!found) {
    return "There must be right and wrong answers before disagreement can be compared with them.";
  }
  const told =
    `A wrong answer has more disagreement than a right one in ${percent(found.probability)} of ` +
    `all pairs (95 % interval ${percent(found.low)} to ${percent(found.high)}; ` +
    `${integer(found.right)} right, ${integer(found.wrong)} wrong).`;
  if (found.low > 0.5) return `${told} On this task, disagreement does point at wrong answers.`;
  if (found.high < 0.5) return `${told} Here, the disputed answers are the right ones.`;
  return `${told} So far, disagreement does not tell right answers from wrong ones.`;
}
