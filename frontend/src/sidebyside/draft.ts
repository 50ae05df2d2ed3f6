/** What a person is about to ask. */
import type { ColumnWanted, ComparisonCreate } from "./api";

export interface Draft {
  ask: "prompt" | "record" | "question";
  prompt: string;
  systemPrompt: string;
  demonstration: string;
  record: { run_id: string; index: number };
  question: { run_id: string; cursor: number; index: number } | null;
  model: string;
  columns: ColumnWanted[];
  samples: number;
  seed: number;
  temperature: number;
  topP: number;
  maxTokens: number;
  blind: boolean;
}

export const plain = (run_id: string | null, weights: ColumnWanted["weights"]): ColumnWanted => ({
  run_id,
  weights,
  checkpoint: null,
  view: "student",
  view_number: 1,
});

/** The base beside the runs that the page was opened with. */
export function emptyDraft(runs: readonly string[], checkpoint: number | null = null): Draft {
  return {
    ask: "prompt",
    prompt: "",
    systemPrompt: "",
    demonstration: "",
    record: { run_id: runs[0] ?? "", index: 0 },
    question: null,
    model: "",
    columns: [
      plain(runs[0] ?? null, "base"),
      ...runs.slice(0, 5).map((run) => ({ ...plain(run, "adapter"), checkpoint })),
    ],
    samples: 1,
    seed: 42,
    temperature: 0.7,
    topP: 1,
    maxTokens: 256,
    blind: false,
  };
}

/** The same as was asked before. */
export function draftOf(asked: ComparisonCreate): Draft {
  const first = asked.columns.find((one) => one.run_id)?.run_id ?? "";
  return {
    ask: asked.record ? "record" : asked.question ? "question" : "prompt",
    prompt: asked.prompt ?? "",
    systemPrompt: asked.system_prompt ?? "",
    demonstration: asked.demonstration ?? "",
    record: asked.record ?? { run_id: first, index: 0 },
    question: asked.question ?? null,
    model: asked.model ?? "",
    columns: asked.columns,
    samples: asked.samples,
    seed: asked.seed,
    temperature: asked.temperature,
    topP: asked.top_p,
    maxTokens: asked.max_tokens,
    blind: asked.blind,
  };
}

export const showsDemonstration = (draft: Draft): boolean =>
  draft.ask === "prompt" && draft.columns.some((one) => one.view === "primary");

export function asBody(draft: Draft): ComparisonCreate {
  const typed = draft.ask === "prompt";
  return {
    prompt: typed ? draft.prompt : null,
    system_prompt: typed && draft.systemPrompt ? draft.systemPrompt : null,
    demonstration: showsDemonstration(draft) && draft.demonstration ? draft.demonstration : null,
    record: draft.ask === "record" ? draft.record : null,
    question: draft.ask === "question" ? draft.question : null,
    model: draft.model || null,
    columns: draft.columns,
    samples: draft.samples,
    seed: draft.seed,
    temperature: draft.temperature,
    top_p: draft.topP,
    max_tokens: draft.maxTokens,
    blind: draft.blind,
  };
}
