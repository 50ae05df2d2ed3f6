import { Copy } from "../components/Copy";
import { toYaml } from "../lib/yaml";
import type { StudyDetail } from "./api";

/** The plan as a file that starts the same study elsewhere. */
export function PlanText({ study }: { study: StudyDetail }) {
  const text = toYaml(study.plan as Record<string, unknown>);
  return (
    <details className="panel overflow-hidden print:hidden">
      <summary className="px-4 py-2.5 font-semibold text-lg">Plan</summary>
      <div className="flex justify-end border-line border-t px-4 py-2">
        <Copy text={text} label="Copy as YAML" />
      </div>
      <pre tabIndex={0} className="max-h-[480px] overflow-auto px-4 pb-4 font-mono text-sm">
        {text}
      </pre>
    </details>
  );
}
