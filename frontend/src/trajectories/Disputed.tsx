import type { ReactNode } from "react";
import type { AgreementReport } from "../api/trajectoryQueries";
import { integer, number, percent } from "../lib/format";

type Open = (trajectory: number, token?: number) => void;

const CELL = "px-2.5 py-1.5";

interface TableProps {
  heads: readonly [words: string, right: boolean][];
  children: ReactNode;
}

function Table({ heads, children }: TableProps) {
  return (
    <table className="w-full text-left text-sm tabular-nums">
      <thead>
        <tr className="eyebrow border-line border-b">
          {heads.map(([words, right]) => (
            <th
              key={words}
              scope="col"
              className={`h-8 whitespace-nowrap px-2.5 font-normal ${right ? "text-right" : ""}`}
            >
              {words}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

const ROW = "border-line border-b align-top";

/** A token's text with its spaces and line ends in sight. */
export const visible = (text: string): string =>
  text.replaceAll("\n", "↵").replaceAll("\t", "⇥").replaceAll(" ", "·") || "∅";

interface ListProps {
  report: AgreementReport;
  onOpen: Open;
}

export function DisputedTokens({ report, onOpen }: ListProps) {
  return (
    <Table
      heads={[
        ["Token", false],
        ["Places", true],
        ["Mean", true],
        ["At most", true],
      ]}
    >
      {report.tokens.map((one) => (
        <tr key={one.text} className={ROW}>
          <td className={CELL}>
            {one.trajectory_id === null ? (
              <span className="font-mono">{visible(one.text)}</span>
            ) : (
              <button
                type="button"
                title="Open it where they disagree most"
                onClick={() => onOpen(one.trajectory_id ?? 0, one.token)}
                className="break-all text-left font-mono hover:text-accent-text hover:underline"
              >
                {visible(one.text)}
              </button>
            )}
          </td>
          <td className={`${CELL} text-right`}>{integer(one.count)}</td>
          <td className={`${CELL} text-right`}>{number(one.disagreement, 3)}</td>
          <td className={`${CELL} text-right`}>{number(one.disagreement_max, 3)}</td>
        </tr>
      ))}
    </Table>
  );
}

export function DisputedExamples({ report, onOpen }: ListProps) {
  return (
    <Table
      heads={[
        ["Example", false],
        ["Rollouts", true],
        ["Mean", true],
        ["Right", true],
      ]}
    >
      {report.examples.map((one) => (
        <tr key={one.record_id} className={ROW}>
          <td className={CELL}>
            <button
              type="button"
              title="Open its most disagreed rollout"
              onClick={() => onOpen(one.trajectory_id)}
              className="text-left hover:text-accent-text hover:underline"
            >
              <span className="line-clamp-2 break-words">{one.prompt}</span>
            </button>
            <div className="text-faint text-xs">{one.record_id}</div>
          </td>
          <td className={`${CELL} text-right`}>{integer(one.rollouts)}</td>
          <td className={`${CELL} text-right`}>{number(one.disagreement, 3)}</td>
          <td className={`${CELL} text-right`}>{percent(one.grade)}</td>
        </tr>
      ))}
    </Table>
  );
}

export function DisputedParts({ report }: { report: AgreementReport }) {
  return (
    <Table
      heads={[
        ["Part", false],
        ["Tokens", true],
        ["Mean", true],
        ["Weight", true],
        ["Of all disagreement", true],
      ]}
    >
      {report.parts.map((one) => (
        <tr key={one.part} className={ROW}>
          <td className={CELL}>{one.part ?? "not known"}</td>
          <td className={`${CELL} text-right`}>{integer(one.tokens)}</td>
          <td className={`${CELL} text-right`}>{number(one.disagreement, 3)}</td>
          <td className={`${CELL} text-right`}>{number(one.weight, 3)}</td>
          <td className={`${CELL} text-right`}>{percent(one.share)}</td>
        </tr>
      ))}
    </Table>
  );
}
