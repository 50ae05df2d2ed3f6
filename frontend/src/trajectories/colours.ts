/** Which quantities colour the tokens, and how. */
import type { TokenValues } from "../api/types";
import type { Theme } from "../lib/theme";
import type { Quantity } from "./search";

export interface QuantityLook {
  label: string;
  help: string;
  signed: boolean;
  /** End of the scale, where it is known beforehand. */
  top?: number;
  /** Whether the least values are what to look at. */
  least?: boolean;
  of: (token: TokenValues) => number | null;
}

export function gapOf(token: TokenValues): number | null {
  return token.teacher_logprob === null ? null : token.teacher_logprob - token.student_logprob;
}

export const LOOKS: Record<Quantity, QuantityLook> = {
  divergence: {
    label: "Divergence",
    help: "How far the teacher's next-token distribution is from the student's, in nats.",
    signed: false,
    of: (token) => token.divergence,
  },
  weight: {
    label: "Agreement weight",
    help: "What the token's divergence is multiplied by: 1 where the teachers agree, less where they do not.",
    signed: false,
    top: 1,
    least: true,
    of: (token) => token.weight,
  },
  disagreement: {
    label: "Disagreement",
    help: "How far the auxiliary teachers' log-probabilities of the sampled token lie apart.",
    signed: false,
    of: (token) => token.disagreement,
  },
  clipped: {
    label: "Clipped away",
    help: "What clipping takes from the token's divergence, in nats. Above 0 the token is clipped.",
    signed: false,
    of: ({ divergence, divergence_clipped: clipped }) =>
      divergence === null || clipped === null ? null : divergence - clipped,
  },
  contrastive: {
    label: "Contrastive term",
    help: "By how much the student is not closer to the teacher than to the negative teacher by the margin, in nats, before the term's weight.",
    signed: false,
    of: (token) => token.contrastive,
  },
  feature_distance: {
    label: "Feature distance",
    help: "Mean squared distance of the final hidden states of student and teacher.",
    signed: false,
    of: (token) => token.feature_distance,
  },
  gap: {
    label: "Log-probability gap",
    help: "Teacher's log-probability of the sampled token minus the student's, in nats. Above 0 the teacher favours it.",
    signed: true,
    of: gapOf,
  },
  student_entropy: {
    label: "Student entropy",
    help: "How undecided the student was before this token, in nats.",
    signed: false,
    of: (token) => token.student_entropy,
  },
  teacher_entropy: {
    label: "Teacher entropy",
    help: "How undecided the teacher was before this token, in nats.",
    signed: false,
    of: (token) => token.teacher_entropy,
  },
  contribution: {
    label: "Share of the loss",
    help: "What this token adds to the loss of its step.",
    signed: false,
    of: (token) => token.contribution,
  },
};

export interface Scale {
  low: number;
  high: number;
  signed: boolean;
  /** Whether the least value has the strongest colour. */
  reversed?: boolean;
}

/** From zero to the 98th percentile: one extreme token must not bleach all others. */
export function scaleOf(
  values: readonly (number | null)[],
  { signed, top: end, least }: Pick<QuantityLook, "signed" | "top" | "least">,
): Scale {
  if (end !== undefined) {
    return { low: signed ? -end : 0, high: end, signed, ...(least ? { reversed: true } : {}) };
  }
  const sizes = values
    .filter((value): value is number => value !== null && Number.isFinite(value))
    .map(Math.abs)
    .sort((a, b) => a - b);
  const top = sizes[Math.ceil((sizes.length - 1) * 0.98)] ?? 0;
  const high = top > 0 ? top : 1;
  return { low: signed ? -high : 0, high, signed };
}

type Rgb = readonly [number, number, number];

/** Cividis (Nuñez et al., 2018), the light end as the ground fades in. */
const SEQUENTIAL: Record<Theme, readonly Rgb[]> = {
  light: [
    [255, 255, 255],
    [253, 234, 130],
    [200, 179, 98],
    [124, 123, 120],
    [52, 75, 108],
    [0, 34, 78],
  ],
  dark: [
    [23, 24, 27],
    [12, 48, 96],
    [73, 84, 110],
    [124, 123, 120],
    [190, 172, 100],
    [253, 231, 86],
  ],
};

/** Blue: the student favours the token more. Orange: the teacher does. */
const DIVERGING: Record<Theme, readonly Rgb[]> = {
  light: [
    [0, 90, 150],
    [140, 190, 225],
    [255, 255, 255],
    [247, 190, 130],
    [190, 78, 0],
  ],
  dark: [
    [86, 180, 233],
    [30, 78, 112],
    [23, 24, 27],
    [112, 62, 20],
    [240, 140, 60],
  ],
};

const stops = (signed: boolean, theme: Theme): readonly Rgb[] =>
  (signed ? DIVERGING : SEQUENTIAL)[theme];

function mix(ramp: readonly Rgb[], share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (ramp.length - 1);
  const left = ramp[Math.floor(at)] ?? [0, 0, 0];
  const right = ramp[Math.ceil(at)] ?? left;
  const part = at - Math.floor(at);
  return [0, 1, 2].map((i) =>
    Math.round((left[i] ?? 0) + part * ((right[i] ?? 0) - (left[i] ?? 0))),
  ) as unknown as Rgb;
}

/** Relative luminance (WCAG 2). */
function luminance([r, g, b]: Rgb): number {
  const linear = (channel: number) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
}

export interface Paint {
  background: string;
  color: string;
}

const DARK_INK = "#000000";
const LIGHT_INK = "#ffffff";

export function paint(value: number | null, scale: Scale, theme: Theme): Paint | null {
  if (value === null || !Number.isFinite(value)) return null;
  const share = (value - scale.low) / (scale.high - scale.low);
  const colour = mix(stops(scale.signed, theme), scale.reversed ? 1 - share : share);
  // Whichever ink has the larger contrast ratio on this ground.
  const ground = luminance(colour);
  const onDark = 1.05 / (ground + 0.05) > (ground + 0.05) / 0.05;
  return { background: `rgb(${colour.join(",")})`, color: onDark ? LIGHT_INK : DARK_INK };
}

export function gradient({ signed, reversed }: Scale, theme: Theme): string {
  return `linear-gradient(${reversed ? 270 : 90}deg, ${stops(signed, theme)
    .map((colour) => `rgb(${colour.join(",")})`)
    .join(", ")})`;
}
