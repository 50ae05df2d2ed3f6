/** What the dialog has been told so far. */
import type { ExportCreate, ExportKind, ExportOptions } from "./queries";

export interface Draft {
  kind: ExportKind;
  /** Empty: the run's adapter, or its newest checkpoint. */
  checkpoint: string;
  weights: "student" | "ema";
  ggufType: NonNullable<ExportCreate["gguf_type"]>;
  prompt: string;
  content: "adapter" | "ema_adapter" | "merged" | "gguf";
  repository: string;
  token: string;
  isPrivate: boolean;
}

export const INITIAL: Draft = {
  kind: "adapter",
  checkpoint: "",
  weights: "student",
  ggufType: "f16",
  prompt: "",
  content: "adapter",
  repository: "",
  token: "",
  isPrivate: true,
};

const REPOSITORY = /^[A-Za-z0-9][A-Za-z0-9._-]*\/[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Adapters have weights of their own; for the others one chooses whose. */
export const needsWeights = (draft: Draft): boolean => {
  const content = draft.kind === "hub" ? draft.content : draft.kind;
  return content === "merged" || content === "gguf";
};

/** Room that making it takes on the worker's disk; a GGUF file is made of a merged model. */
export function neededBytes(options: ExportOptions, draft: Draft): number {
  const content = draft.kind === "hub" ? draft.content : draft.kind;
  const parts = content === "gguf" ? ["merged", "gguf"] : [content];
  return options.kinds
    .filter((one) => parts.includes(one.kind))
    .reduce((sum, one) => sum + (one.estimate_bytes ?? 0), 0);
}

/** Why the export cannot be started yet, in words; null: it can. */
export function whatIsMissing(draft: Draft): string | null {
  if (draft.kind !== "hub") return null;
  if (!REPOSITORY.test(draft.repository.trim())) return "Name the repository as owner/name.";
  if (!draft.token.trim()) return "A push needs a token.";
  return null;
}

export function toRequest(draft: Draft): ExportCreate {
  const prompt = draft.prompt.trim();
  return {
    kind: draft.kind,
    weights: needsWeights(draft) ? draft.weights : "student",
    gguf_type: draft.ggufType,
    ...(draft.checkpoint ? { checkpoint: Number(draft.checkpoint) } : {}),
    ...(prompt ? { prompt } : {}),
    ...(draft.kind === "hub"
      ? {
          hub: {
            repository: draft.repository.trim(),
            token: draft.token.trim(),
            content: draft.content,
            private: draft.isPrivate,
            branch: "main",
          },
        }
      : {}),
  };
}
