/** What colours the tokens of two answers, on one scale for both. */
import type { Strip } from "../api/types";
import { type Scale, scaleOf } from "../trajectories/colours";

export const COLOURINGS = ["jsd", "gap", "base", "tuned"] as const;
export type Colouring = (typeof COLOURINGS)[number];

export interface ColouringLook {
  label: string;
  help: string;
  signed: boolean;
  of: (strip: Strip) => readonly number[] | null;
}

export const COLOURING: Record<Colouring, ColouringLook> = {
  jsd: {
    label: "JSD",
    help: "How far base and model are apart before this token, in nats: 0 where they say the same, at most ln 2 = 0.693.",
    signed: false,
    of: (strip) => strip.token_jsd ?? null,
  },
  gap: {
    label: "Log p, model − base",
    help: "Log-probability of the token under the model less under the base, in nats. Above 0 (orange) the model favours it, below 0 (blue) the base.",
    signed: true,
    of: (strip) => {
      const { token_base_logprob: base, token_tuned_logprob: tuned } = strip;
      return base && tuned ? tuned.map((value, i) => value - (base[i] ?? value)) : null;
    },
  },
  base: {
    label: "Surprise of the base",
    help: "Minus the token's log-probability under the base, in nats.",
    signed: false,
    of: (strip) => strip.token_base_logprob?.map((value) => -value) ?? null,
  },
  tuned: {
    label: "Surprise of the model",
    help: "Minus the token's log-probability under the model, in nats.",
    signed: false,
    of: (strip) => strip.token_tuned_logprob?.map((value) => -value) ?? null,
  },
};

/** Colourings for which there are values: older evaluations kept only the JSD of tokens. */
export const presentIn = (strips: readonly Strip[]): Colouring[] =>
  COLOURINGS.filter((name) => strips.some((strip) => COLOURING[name].of(strip) !== null));

/** One scale for both answers, so that equal colours are equal numbers. */
export function sharedScale(strips: readonly Strip[], name: Colouring, full: boolean): Scale {
  const { of, signed } = COLOURING[name];
  const values = strips.flatMap((strip) => [...(of(strip) ?? [])]);
  return scaleOf(values, full && name === "jsd" ? { signed, top: Math.LN2 } : { signed });
}

/** Places of the tokens from the largest magnitude to the smallest. */
export function ranked(values: readonly number[]): number[] {
  return values
    .map((_, i) => i)
    .sort((a, b) => Math.abs(values[b] ?? 0) - Math.abs(values[a] ?? 0) || a - b);
}
