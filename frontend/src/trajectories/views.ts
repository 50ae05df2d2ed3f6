/** The views of a trajectory: the student, its teachers, and what each says of a token. */
import type { TokenValues, TrajectoryDetail } from "../api/types";

type Top = TokenValues["student_top"];

export interface View {
  /** For the URL. */
  key: string;
  name: string;
  /** Where it differs from the others' or needs a word. */
  note?: string;
  prompt: string | null;
  logprob: (token: TokenValues) => number | null;
  entropy: (token: TokenValues) => number | null;
  top: (token: TokenValues) => Top;
}

const NONE: Top = [];

/** The student first; only those that were asked about some token. */
export function viewsOf(item: TrajectoryDetail): View[] {
  const tokens = item.token_values;
  const count = Math.max(item.auxiliary_prompts.length, tokens[0]?.auxiliary_logprobs?.length ?? 0);
  const auxiliary = Array.from(
    { length: count },
    (_, k): View => ({
      key: `auxiliary-${k + 1}`,
      name: `Auxiliary teacher ${k + 1}`,
      note: "at temperature 1",
      prompt: item.auxiliary_prompts[k] ?? null,
      logprob: (token) => token.auxiliary_logprobs?.[k] ?? null,
      entropy: () => null,
      top: () => NONE,
    }),
  );
  const all: View[] = [
    {
      key: "student",
      name: "Student",
      prompt: item.student_prompt,
      logprob: (token) => token.student_logprob,
      entropy: (token) => token.student_entropy,
      top: (token) => token.student_top,
    },
    {
      key: "teacher",
      name: "Primary teacher",
      prompt: item.teacher_prompt,
      logprob: (token) => token.teacher_logprob,
      entropy: (token) => token.teacher_entropy,
      top: (token) => token.teacher_top,
    },
    ...auxiliary,
    {
      key: "negative",
      name: "Negative teacher",
      note: "behind a wrong demonstration",
      prompt: item.negative_prompt,
      logprob: (token) => token.negative_logprob,
      entropy: () => null,
      top: () => NONE,
    },
  ];
  return all.filter((view) => tokens.some((token) => view.logprob(token) !== null));
}
