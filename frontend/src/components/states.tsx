import { CircleAlert, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { asApiError } from "../api/client";
import type { Problem } from "../api/types";
import { Inline } from "./Inline";
import { Button } from "./ui";

interface EmptyProps {
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}

export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-2 px-6 py-14 text-center">
      <h2 className="font-semibold text-lg">{title}</h2>
      {children && <div className="text-balance text-muted">{children}</div>}
      {action && <div className="mt-3">{action}</div>}
    </div>
  );
}

/** A question that the server did not answer; says what, why and what to do. */
export function Failure({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = asApiError(error);
  return (
    <div role="alert" className="mx-auto flex max-w-lg flex-col items-center gap-2 px-6 py-14">
      <CircleAlert aria-hidden="true" className="size-5 text-bad" />
      <p className="text-center font-medium">{problem.message}</p>
      {problem.remedy && (
        <p className="text-center text-muted">
          <Inline text={problem.remedy} />
        </p>
      )}
      {problem.errors.length > 1 && <Mistakes problems={problem.errors} />}
      {onRetry && (
        <Button className="mt-2" onClick={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** Each of several mistakes, with its field or line. */
export function Mistakes({ problems }: { problems: Problem[] }) {
  return (
    <ul className="mt-1 flex list-disc flex-col gap-1 pl-5">
      {problems.map((problem, i) => (
        <li key={i}>
          {problem.field && <span className="font-mono text-sm">{problem.field}: </span>}
          {problem.line !== null && problem.line !== undefined && `Line ${problem.line}: `}
          <Inline text={`${problem.message} ${problem.remedy ?? ""}`.trim()} />
        </li>
      ))}
    </ul>
  );
}

interface NoticeProps {
  tone: "bad" | "warn";
  title?: ReactNode;
  children?: ReactNode;
  id?: string;
  testId?: string;
}

export function Notice({ tone, title, children, id, testId }: NoticeProps) {
  const Icon = tone === "bad" ? CircleAlert : TriangleAlert;
  const colours = tone === "bad" ? "border-bad-line bg-bad-soft" : "border-warn-line bg-warn-soft";
  return (
    <div
      id={id}
      data-testid={testId}
      role={tone === "bad" ? "alert" : "status"}
      className={`flex gap-3 rounded-panel border px-3 py-2.5 ${colours}`}
    >
      <Icon
        aria-hidden="true"
        className={`mt-0.5 size-4 shrink-0 ${tone === "bad" ? "text-bad" : "text-warn"}`}
      />
      <div className="min-w-0 flex-1">
        {title && <p className="font-medium">{title}</p>}
        {children}
      </div>
    </div>
  );
}

export function ProblemNotice({ problem }: { problem: Problem }) {
  return (
    <Notice tone="bad" testId="run-problem" title={<Inline text={problem.message} />}>
      {problem.remedy && (
        <p className="text-muted">
          <Inline text={problem.remedy} />
        </p>
      )}
      {problem.line !== null && problem.line !== undefined && (
        <p className="text-muted text-sm">Line {problem.line} of the data file.</p>
      )}
    </Notice>
  );
}
