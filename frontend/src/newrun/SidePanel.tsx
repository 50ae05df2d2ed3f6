import { useRef } from "react";
import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Notice } from "../components/states";
import { Skeleton } from "../components/ui";
import { Changes } from "./Changes";
import { runsOf } from "./grid";
import { PreflightSummary } from "./preflight/Summary";
import { StudySummary } from "./StudySummary";
import { fullTitle } from "./schema";
import type { RunForm } from "./useRunForm";
import type { PreflightState } from "./useValidation";
import { messageOf, placeOf } from "./values";
import { WhatRuns } from "./WhatRuns";

interface SidePanelProps {
  form: RunForm;
  checking: boolean;
  /** The run that is cloned, by name. */
  original: string | null;
  preflight: PreflightState;
  problems: Problem[];
  /** Problems with fields that one has not come to yet. */
  waiting: number;
  warnings: Problem[];
  paths: string[];
  onOpen: (path: string) => void;
}

export function SidePanel(props: SidePanelProps) {
  const { form, original, preflight, problems, waiting, warnings, paths, onOpen } = props;
  const checked = useRef(false);
  checked.current ||= !props.checking;
  return (
    <aside
      aria-label="Summary"
      className="flex min-w-0 flex-col gap-4 xl:sticky xl:top-16 xl:max-h-[calc(100dvh-80px)] xl:overflow-y-auto"
    >
      {problems.length > 0 && (
        <Notice
          tone="bad"
          id="problem-summary"
          testId="problem-summary"
          title="To mend before the run can start"
        >
          <Links problems={problems} paths={paths} onOpen={onOpen} />
        </Notice>
      )}
      {problems.length === 0 && waiting > 0 && (
        <p className="panel px-3 py-2.5 text-muted">
          {waiting === 1 ? "One thing is" : `${waiting} things are`} left to fill in.
        </p>
      )}
      {warnings.length > 0 && (
        <Notice tone="warn" testId="warning-summary" title="Worth a look; the run can start">
          <Links problems={warnings} paths={paths} onOpen={onOpen} />
        </Notice>
      )}
      {/* Once the first verdict has its height, nothing below it moves. */}
      {!checked.current && <Skeleton className="h-96" />}
      {checked.current && (
        <>
          {form.plan && <StudySummary plan={form.plan} onOpen={onOpen} grid={form.grid} />}
          {original !== null && (
            <Changes original={original} changes={form.changes} onOpen={onOpen} />
          )}
          <PreflightSummary state={preflight} runs={form.plan ? runsOf(form.grid) : 1} />
          <WhatRuns config={form.config} values={form.values} />
        </>
      )}
    </aside>
  );
}

interface LinksProps {
  problems: Problem[];
  paths: string[];
  onOpen: (path: string) => void;
}

function Links({ problems, paths, onOpen }: LinksProps) {
  return (
    <ul className="mt-1.5 flex flex-col gap-2 text-sm">
      {problems.map((problem, i) => {
        const path = placeOf(problem, paths);
        return (
          <li key={i}>
            {path && (
              <a
                href={`#field-${path}`}
                onClick={(event) => {
                  event.preventDefault();
                  onOpen(path);
                }}
                className="font-medium underline decoration-line-strong underline-offset-2 hover:decoration-current"
              >
                {fullTitle(path)}
              </a>
            )}
            <p className="break-words">
              <Inline text={messageOf(problem)} />{" "}
              {problem.remedy && (
                <span className="text-muted">
                  <Inline text={problem.remedy} />
                </span>
              )}
            </p>
          </li>
        );
      })}
    </ul>
  );
}
