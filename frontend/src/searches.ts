/** What each page keeps in its URL; anything else there is dropped. */
import type { RunStatus } from "./api/types";
import {
  type Defined,
  defined,
  flag,
  manyOf,
  numeric,
  oneOf,
  type RawSearch,
  text,
  whole,
} from "./lib/search";

export const STATUSES: readonly RunStatus[] = [
  "queued",
  "starting",
  "running",
  "stopping",
  "succeeded",
  "stopped",
  "failed",
  "crashed",
  "cancelled",
];

export const RUN_SORTS = [
  "-created_at",
  "created_at",
  "name",
  "-name",
  "status",
  "last_loss",
  "-last_loss",
] as const;
export type RunSort = (typeof RUN_SORTS)[number];

export const TABS = ["charts", "trajectories", "evaluations", "logs", "config", "system"] as const;
export type Tab = (typeof TABS)[number];

export const X_AXES = ["step", "time", "tokens"] as const;
export type XAxis = (typeof X_AXES)[number];

export const TRAJECTORY_SORTS = [
  "-step",
  "step",
  "-divergence",
  "divergence",
  "-tokens",
  "tokens",
] as const;
export type TrajectorySort = (typeof TRAJECTORY_SORTS)[number];

export const QUANTITIES = [
  "divergence",
  "weight",
  "disagreement",
  "contrastive",
  "feature_distance",
  "gap",
  "student_entropy",
  "teacher_entropy",
  "contribution",
] as const;
export type Quantity = (typeof QUANTITIES)[number];

export const EXAMPLE_SORTS = ["index", "-jsd", "jsd", "base_logprob", "-tokens"] as const;
export type ExampleSort = (typeof EXAMPLE_SORTS)[number];

export const LEVELS = ["debug", "info", "warning", "error"] as const;

export const runsSearch = (raw: RawSearch) =>
  defined({
    q: text(raw.q),
    status: manyOf(raw.status, STATUSES),
    sort: oneOf(raw.sort, RUN_SORTS),
    page: whole(raw.page, 2),
  });
export type RunsSearch = ReturnType<typeof runsSearch>;

export const SPANS = ["hour", "day"] as const;
export type Span = (typeof SPANS)[number];

export const workersSearch = (raw: RawSearch) => defined({ past: oneOf(raw.past, SPANS) });

export const datasetSearch = (raw: RawSearch) => defined({ version: whole(raw.version, 1) });

export const newRunSearch = (raw: RawSearch) =>
  defined({
    from: text(raw.from),
    project: text(raw.project),
    preset: text(raw.preset),
    dataset: text(raw.dataset),
    advanced: flag(raw.advanced),
    view: oneOf(raw.view, ["yaml", "json"] as const),
    // Preflight
    record: whole(raw.record, 1),
    sees: text(raw.sees),
  });
export type NewRunSearch = ReturnType<typeof newRunSearch>;

export const runSearch = (raw: RawSearch) =>
  defined({
    tab: oneOf(raw.tab, TABS),
    attempt: whole(raw.attempt, 1),
    // Charts
    smooth: numeric(raw.smooth, 0, 0.99),
    log: flag(raw.log),
    x: oneOf(raw.x, X_AXES),
    from: numeric(raw.from, -Number.MAX_VALUE, Number.MAX_VALUE),
    to: numeric(raw.to, -Number.MAX_VALUE, Number.MAX_VALUE),
    // Trajectories
    sort: oneOf(raw.sort, TRAJECTORY_SORTS),
    pinned: flag(raw.pinned),
    q: text(raw.q),
    page: whole(raw.page, 2),
    trajectory: whole(raw.trajectory, 0),
    by: oneOf(raw.by, QUANTITIES),
    token: whole(raw.token, 0),
    // Evaluations
    evaluation: whole(raw.evaluation, 1),
    grade: oneOf(raw.grade, ["right", "wrong", "regressed"] as const),
    order: oneOf(raw.order, EXAMPLE_SORTS),
    example: whole(raw.example, 0),
    // Logs
    level: oneOf(raw.level, LEVELS),
    find: text(raw.find),
  });
export type RunSearch = Defined<ReturnType<typeof runSearch>>;
