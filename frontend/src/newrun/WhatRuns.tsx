import type { ReactNode } from "react";
import { baseName, integer, setting, UNKNOWN } from "../lib/format";
import { lossOf, objectiveWords } from "./loss";
import { type Config, type FormValues, readPath } from "./values";

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

/** The configuration in a few lines. */
export function WhatRuns({ config, values }: { config: Config; values: FormValues }) {
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
