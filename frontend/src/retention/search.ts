/** What the Retention tab keeps in the address. */
import { flag, oneOf, type RawSearch, text, whole } from "../lib/search";

export const RETENTION_SORTS = [
  "gain",
  "-gain",
  "index",
  "-index",
  "-tokens",
  "tokens",
  "-jsd",
  "jsd",
  "base_logprob",
  "-base_logprob",
  "tuned_logprob",
  "-tuned_logprob",
  "-reverse_jsd",
  "reverse_jsd",
  "reverse_logprob",
  "-reverse_logprob",
  "gold_change",
  "-gold_change",
] as const;
export type RetentionSort = (typeof RETENTION_SORTS)[number];

export const retentionSearch = (raw: RawSearch) => ({
  /** `RUN:CURSOR` of the result that is open, and of the one that it is compared with. */
  result: text(raw.result),
  against: text(raw.against),
  curve: oneOf(raw.curve, ["step"] as const),
  direction: oneOf(raw.direction, ["reverse", "gold"] as const),
  measure: oneOf(raw.measure, ["base_logprob"] as const),
  height: oneOf(raw.height, ["grade"] as const),
  quadrant: oneOf(raw.quadrant, ["regressed", "improved", "both_right", "both_wrong"] as const),
  /** A bar of the histogram: `0.02..0.04`. */
  bin: text(raw.bin),
  rank: oneOf(raw.rank, RETENTION_SORTS),
  sample: whole(raw.sample, 1),
  side: oneOf(raw.side, ["base"] as const),
  colour: oneOf(raw.colour, ["gap", "base", "tuned"] as const),
  full: flag(raw.full),
});
