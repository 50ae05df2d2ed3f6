import { CircleAlert, CircleCheck } from "lucide-react";
import { number } from "../lib/format";
import type { Check } from "./queries";
import { verdict } from "./words";

/** Whether the exported thing answered like the original, and both answers for who doubts it. */
export function CheckOutcome({ check }: { check: Check }) {
  const Icon = check.passed ? CircleCheck : CircleAlert;
  return (
    <details className="group text-sm">
      <summary className="flex items-start gap-2">
        <Icon
          aria-hidden="true"
          className={`mt-px size-4 shrink-0 ${check.passed ? "text-ok" : "text-bad"}`}
        />
        <span>
          <span className={`font-medium ${check.passed ? "text-ok" : "text-bad"}`}>
            {check.passed ? "Checked" : "Check failed"}
          </span>
          <span className="text-muted"> {verdict(check)}</span>
        </span>
      </summary>
      <dl className="mt-2 grid grid-cols-[max-content_1fr] gap-x-4 gap-y-1 pl-6">
        <Fact label="Loaded with">
          {check.loaded_with}, {check.dtype}
        </Fact>
        <Fact label="Prompt">
          <Said text={check.prompt} />
        </Fact>
        <Fact label="Original">
          <Said text={check.answer} />
        </Fact>
        <Fact label="Exported">
          <Said text={check.exported_answer} />
        </Fact>
        <Fact label="Difference">
          {number(check.mean_difference, 3)} nats on average, {number(check.largest_difference, 3)}{" "}
          at most; {number(check.tolerance, 1)} allowed
        </Fact>
        <Fact label="Base">
          {number(check.base_difference, 3)} nats from the original, which is what training changed
        </Fact>
      </dl>
    </details>
  );
}

function Fact({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-muted">{label}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}

const Said = ({ text }: { text: string }) => (
  <span className="line-clamp-4 whitespace-pre-wrap break-words font-mono">{text || "–"}</span>
);
