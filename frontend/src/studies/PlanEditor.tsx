import { useRef } from "react";
import type { Problem } from "../api/types";

interface PlanEditorProps {
  text: string;
  onChange: (text: string) => void;
  problems: readonly Problem[];
  label?: string;
}

const LINE_HEIGHT = 20;
const PAD = 10;
const ROWS = 26;

export const PLAN_TEXT_ID = "plan-text";

/** Puts the caret at the start of a line of the plan and shows it. */
export function goToLine(line: number): void {
  const area = document.getElementById(PLAN_TEXT_ID);
  if (!(area instanceof HTMLTextAreaElement)) return;
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  area.focus();
  area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  area.scrollTop = Math.max(0, (line - 4) * LINE_HEIGHT);
}

/** Plain text with line numbers; lines with mistakes are marked. */
export function PlanEditor(props: PlanEditorProps) {
  const { text, onChange, problems, label = "Plan, YAML or JSON" } = props;
  const gutter = useRef<HTMLDivElement>(null);
  const count = text.split("\n").length;
  const bad = new Set(problems.map((problem) => problem.line));
  return (
    <div className="flex overflow-hidden rounded-control border border-line-strong bg-surface font-mono text-sm focus-within:border-accent">
      <div
        ref={gutter}
        aria-hidden="true"
        className="w-11 shrink-0 select-none overflow-hidden border-line border-r bg-sunken text-right text-faint tabular-nums"
        style={{ height: ROWS * LINE_HEIGHT + 2 * PAD, paddingBlock: PAD }}
      >
        {Array.from({ length: count }, (_, i) => (
          <div
            key={i}
            className={`pr-2 ${bad.has(i + 1) ? "bg-bad-soft font-semibold text-bad" : ""}`}
            style={{ height: LINE_HEIGHT, lineHeight: `${LINE_HEIGHT}px` }}
          >
            {i + 1}
          </div>
        ))}
      </div>
      <textarea
        id={PLAN_TEXT_ID}
        aria-label={label}
        aria-invalid={problems.length > 0 || undefined}
        aria-describedby={problems.length > 0 ? "plan-problems" : undefined}
        value={text}
        wrap="off"
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        onChange={(event) => onChange(event.target.value)}
        onScroll={(event) => {
          if (gutter.current) gutter.current.scrollTop = event.currentTarget.scrollTop;
        }}
        className="min-w-0 flex-1 resize-none bg-transparent px-3 outline-none"
        style={{
          height: ROWS * LINE_HEIGHT + 2 * PAD,
          paddingBlock: PAD,
          lineHeight: `${LINE_HEIGHT}px`,
        }}
      />
    </div>
  );
}
