import { useQuery } from "@tanstack/react-query";
import { FileUp } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { client, unwrap } from "../api/client";
import type { Problem } from "../api/types";
import type { TextFormat } from "../components/ConfigText";
import { Copy } from "../components/Copy";
import { Inline } from "../components/Inline";
import { Failure, Notice } from "../components/states";
import { Button, buttonClass } from "../components/ui";
import { integer, plural } from "../lib/format";
import { useDebounced } from "../lib/hooks";
import { toYaml } from "../lib/yaml";
import { goToLine, PlanEditor } from "../studies/PlanEditor";
import type { RunForm } from "./useRunForm";
import type { Config } from "./values";

const PAUSE_MS = 350;

const written = (config: Config, format: TextFormat): string =>
  format === "yaml" ? toYaml(config) : `${JSON.stringify(config, null, 2)}\n`;

/** The configuration as text: to read, to take along, to type, paste or choose as a file. */
export function TextPane({ form, format }: { form: RunForm; format: TextFormat }) {
  const [text, setText] = useState(() => form.text ?? written(form.config, format));
  const [unread, setUnread] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const settled = useDebounced(text, PAUSE_MS);
  const [typed, setTyped] = useState(form.text !== null);
  const { data, error } = useQuery({
    queryKey: ["config", "parse", settled],
    queryFn: ({ signal }) =>
      unwrap(client.POST("/api/config/parse", { body: { text: settled }, signal })),
    enabled: typed,
    retry: false,
    gcTime: 0,
  });
  const errors = typed && settled === text ? (data?.errors ?? []) : [];
  const { take, setText: keep } = form;
  // What is whole goes into the form at once; what is not is kept as it is.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new answer is taken over
  useEffect(() => {
    if (!typed || settled !== text || !data) return;
    if (data.config) take(data.config);
    keep(data.config ? null : text);
  }, [data]);
  const change = (next: string) => {
    setUnread("");
    setTyped(true);
    setText(next);
    // Until the server has read it, nothing of it may be lost.
    keep(next);
  };
  const read = async (chosen: File | undefined) => {
    if (!chosen) return;
    try {
      change(await chosen.text());
    } catch {
      setUnread(`${chosen.name} cannot be read. Choose it again.`);
    }
  };
  return (
    <section
      aria-label="Configuration as text"
      className="panel flex flex-col gap-3 p-4"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void read(event.dataTransfer.files[0]);
      }}
    >
      <div className="flex flex-wrap items-center gap-2">
        <Button small onClick={() => file.current?.click()}>
          <FileUp aria-hidden="true" className="size-3.5" />
          Open a file
        </Button>
        <a
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(text)}`}
          download={`run.${format}`}
          className={buttonClass("secondary", true)}
        >
          Download
        </a>
        <Copy text={text} label="Copy" />
        <span className="text-muted text-sm">
          Type or paste here; the form follows. Name, project and schedule are no part of it.
        </span>
        <input
          ref={file}
          type="file"
          aria-label="Configuration file"
          accept=".yaml,.yml,.json"
          onChange={(event) => {
            void read(event.target.files?.[0]);
            event.target.value = ""; // the same file may be mended and chosen again
          }}
          className="hidden"
        />
      </div>
      {unread && <Notice tone="bad" title={unread} />}
      {typed && error && <Failure error={error} />}
      <PlanEditor
        text={text}
        onChange={change}
        problems={errors}
        label={`Configuration as ${format.toUpperCase()}`}
      />
      {errors.length > 0 ? (
        <Notice
          tone="bad"
          id="plan-problems"
          testId="text-problems"
          title={`${plural(errors.length, "thing")} to mend`}
        >
          <Mistakes problems={errors} />
        </Notice>
      ) : (
        <p role="status" className="text-muted text-sm">
          {typed && settled === text && data?.config ? "Read; the form holds all of it." : ""}
        </p>
      )}
    </section>
  );
}

function Mistakes({ problems }: { problems: Problem[] }) {
  return (
    <ul className="mt-1.5 flex max-h-72 flex-col gap-2 overflow-y-auto text-sm">
      {problems.map((problem, i) => (
        <li key={i}>
          <button
            type="button"
            onClick={() => goToLine(problem.line ?? 1)}
            className="font-medium underline decoration-line-strong underline-offset-2 hover:decoration-current"
          >
            Line {integer(problem.line ?? 1)}
            {problem.field && `, ${problem.field}`}
          </button>
          <p className="break-words">
            <Inline text={problem.message} />{" "}
            <span className="text-muted">
              <Inline text={problem.remedy ?? ""} />
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}
