/** What the Trajectories tab keeps in the URL. */
import { flag, oneOf, type RawSearch, text, whole } from "../lib/search";

export const SUMMARY_FIELDS = [
  "step",
  "tokens",
  "divergence",
  "disagreement",
  "disagreement_max",
  "weight",
  "clipped_share",
  "contrastive_share",
  "feature_distance",
  "grade",
  "loss",
  "record_id",
] as const;
export type SummaryField = (typeof SUMMARY_FIELDS)[number];
export type TrajectorySort = SummaryField | `-${SummaryField}`;

const TRAJECTORY_SORTS: readonly TrajectorySort[] = SUMMARY_FIELDS.flatMap(
  (field) => [field, `-${field}`] as const,
);

export const QUANTITIES = [
  "divergence",
  "weight",
  "disagreement",
  "clipped",
  "contrastive",
  "feature_distance",
  "gap",
  "student_entropy",
  "teacher_entropy",
  "contribution",
] as const;
export type Quantity = (typeof QUANTITIES)[number];

export const MAP_VALUES = ["logprob", "gap"] as const;
export type MapValue = (typeof MAP_VALUES)[number];

export const trajectoriesSearch = (raw: RawSearch) => ({
  sort: oneOf(raw.sort, TRAJECTORY_SORTS),
  pinned: flag(raw.pinned),
  filter: text(raw.filter),
  follow: flag(raw.follow),
  show: oneOf(raw.show, ["agreement"] as const),
  q: text(raw.q),
  page: whole(raw.page, 2),
  trajectory: whole(raw.trajectory, 0),
  by: oneOf(raw.by, QUANTITIES),
  token: whole(raw.token, 0),
  /** Colours of the map of views; two views whose prompts are compared; changed settings. */
  map: oneOf(raw.map, MAP_VALUES),
  prompts: text(raw.prompts),
  whatif: text(raw.whatif),
});
