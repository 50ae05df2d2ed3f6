import type { ReactNode } from "react";
import type { Problem } from "../api/types";
import { Inline } from "../components/Inline";
import { Notice } from "../components/states";
import { baseName, integer, setting, UNKNOWN } from "../lib/format";
import { lossOf, objectiveWords } from "./loss";
import { fullTitle } from "./schema";
import { type Config, type FormValues, messageOf, placeOf, readPath } from "./values";

interface SidePanelProps {
  config: Config;
  values: FormValues;
  problems: Problem[];
  /** Problems with fields that one has not come to yet. */
  waiting: number;
  warnings: Problem[];
  paths: string[];
  onOpen: (path: string) => void;
}

export function SidePanel(props: SidePanelProps) {
  const { config, values, problems, waiting, warnings, paths, onOpen } = props;
  return (
    <aside aria-label="Summary" className="flex flex-col gap-4 xl:sticky xl:top-16">
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
      <WhatRuns config={config} values={values} />
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

const asNumber = (value: unknown): number | null => (typeof value === "number" ? value : null);

const plain = (value: number | null) => (value === null ? UNKNOWN : setting(value));

const TEACHERS: Record<string, string> = {
  base: "frozen base",
  student: "live student",
  ema: "moving average of the student",
};

const COMPLETIONS: Record<string, string> = {
  rollout: "sampled by the student",
  reference: "the data's answers",
  mixed: "sampled or the data's",
  presampled: "sampled once by the base model",
};

function WhatRuns({ config, values }: { config: Config; values: FormValues }) {
  const loss = lossOf(values);
  const get = (path: string) => readPath(config, path);
  const batch = asNumber(get("training.batch_size"));
  const passes = asNumber(get("training.gradient_accumulation_steps"));
  // A configuration stored before there was a choice has no number.
  const devices = asNumber(get("training.devices")) ?? 1;
  const whole = batch !== null && passes !== null ? batch * passes * devices : null;
  const maxSteps = asNumber(get("training.max_steps"));
  const epochs = asNumber(get("training.epochs"));
  const held = asNumber(get("evaluation.examples"));
  const benchmarks = get("evaluation.benchmarks");
  const asked = [
    ...(held ? [`${integer(held)} records`] : []),
    ...(Array.isArray(benchmarks) ? benchmarks.map(String) : []),
  ];
  return (
    <section className="panel" aria-label="What will run">
      <h2 className="border-line border-b px-4 py-2.5 font-semibold">What will run</h2>
      <dl className="flex flex-col px-4 py-2">
        <Line label="Model">{baseName(String(get("model.name") ?? "")) || UNKNOWN}</Line>
        <Line label="Adapter">LoRA, rank {integer(asNumber(get("model.lora.rank")))}</Line>
        <Line label="Data">{dataWords(config)}</Line>
        <Line label="Objective">{loss ? objectiveWords(loss) : UNKNOWN}</Line>
        {!loss?.crossEntropy && (
          <Line label="Teacher">
            {TEACHERS[String(get("teacher.weights"))] ?? UNKNOWN}, sees the{" "}
            {get("teacher.use_rationale") ? "rationale" : "answer"}
          </Line>
        )}
        <Line label="Completions">
          {COMPLETIONS[String(get("objective.completions"))] ?? UNKNOWN}
        </Line>
        <Line label="Effective batch">
          {devices > 1 ? `${integer(devices)} devices × ` : ""}
          {integer(batch)} × {integer(passes)} = {integer(whole)} sequences
        </Line>
        <Line label="Length">
          {maxSteps !== null
            ? `${integer(maxSteps)} ${maxSteps === 1 ? "step" : "steps"}`
            : `${plain(epochs)} ${epochs === 1 ? "epoch" : "epochs"}`}
        </Line>
        {get("objective.completions") !== "reference" && (
          <Line label="Sampling">
            up to {integer(asNumber(get("generation.max_completion_length")))} tokens, temperature{" "}
            {plain(asNumber(get("generation.temperature")))}
          </Line>
        )}
        <Line label="Learning rate">{plain(asNumber(get("training.learning_rate")))}</Line>
        <Line label="Evaluation">
          {asked.length > 0
            ? `${asked.join(", ")}; every ${integer(asNumber(get("evaluation.every_steps")))} steps`
            : "none"}
        </Line>
      </dl>
    </section>
  );
}

/** The file, data set or benchmark that is trained on. */
function dataWords(config: Config): string {
  const path = String(readPath(config, "data.path") ?? "");
  if (path) return baseName(path);
  const named = readPath(config, "data.dataset") ?? readPath(config, "data.benchmark");
  return String(named || UNKNOWN);
}

function Line({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex justify-between gap-4 py-1">
      <dt className="shrink-0 text-muted">{label}</dt>
      <dd className="min-w-0 break-words text-right">{children}</dd>
    </div>
  );
}
