import { toYaml } from "../lib/yaml";
import { Copy } from "./Copy";

export type TextFormat = "yaml" | "json";

interface ConfigTextProps {
  config: object;
  format: TextFormat;
  className?: string;
}

/** A configuration as text that the command line takes as it is. */
export function ConfigText({ config, format, className }: ConfigTextProps) {
  const text =
    format === "yaml" ? toYaml(config as Record<string, unknown>) : JSON.stringify(config, null, 2);
  return (
    <div className="relative min-h-0">
      <div className="absolute top-2 right-3 rounded-control bg-surface">
        <Copy text={text} label="Copy" />
      </div>
      <pre
        tabIndex={0}
        className={`overflow-auto whitespace-pre-wrap p-3 font-mono text-sm ${className ?? ""}`}
      >
        {text}
      </pre>
    </div>
  );
}
