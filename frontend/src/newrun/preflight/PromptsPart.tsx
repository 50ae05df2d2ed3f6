import type { Preflight } from "../../api/types";
import { integer, plural } from "../../lib/format";
import { CELL, Chip, HEAD, Part } from "./Part";

type Prompts = NonNullable<Preflight["prompts"]>;

const NAMES = { student: "Student", primary: "Teacher, with the worked example" };

/** Whether the prompts fit, and which do not. */
export function PromptsPart({ prompts }: { prompts: Prompts }) {
  const { context, counted, limit, lengths, longest, too_long: long } = prompts;
  const model = context === null ? "" : `; the model knows ${integer(context)} positions`;
  const said = `${plural(counted, "record")} counted against ${integer(limit)} tokens (\`generation.max_prompt_length\`)${model}`;
  return (
    <Part id="prompts" title="Prompts" said={said.replaceAll("`", "")}>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
        {long > 0 ? (
          <>
            <Chip tone={long === counted ? "bad" : "warn"}>{integer(long)} do not fit</Chip>
            <span>
              They are left out. The longest:{" "}
              {longest
                .map((one) => `line ${integer(one.line)} (${integer(one.tokens)})`)
                .join(", ")}
              .
            </span>
          </>
        ) : (
          <Chip tone="ok">All fit</Chip>
        )}
        {prompts.without_views !== null && (
          <span className={prompts.without_views > 0 ? "text-warn" : "text-muted"}>
            {prompts.without_views > 0
              ? `Too few auxiliary prompts fit beside ${integer(prompts.without_views)} of ${plural(prompts.views_looked_at, "record")} looked at.`
              : `Enough auxiliary prompts fit beside all ${plural(prompts.views_looked_at, "record")} looked at.`}
          </span>
        )}
      </div>
      <div className="overflow-x-auto">
        <table
          aria-label="Lengths of the prompts"
          className="w-full max-w-xl border-collapse text-sm"
        >
          <thead>
            <tr className="eyebrow border-line border-b">
              <th scope="col" className={HEAD}>
                Tokens
              </th>
              {["Median", "95 % below", "Longest"].map((title) => (
                <th key={title} scope="col" className={`${HEAD} text-right!`}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lengths.map((one) => (
              <tr key={one.view} className="border-line border-b last:border-b-0">
                <th scope="row" className={`${CELL} text-left font-normal`}>
                  {NAMES[one.view]}
                </th>
                {[one.median, one.p95, one.maximum].map((value, i) => (
                  <td
                    key={i}
                    className={`${CELL} text-right tabular-nums ${value > limit ? "text-warn" : ""}`}
                  >
                    {integer(value)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Part>
  );
}
