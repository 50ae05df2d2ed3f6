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
import { retentionSearch } from "./retention/search";

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

export const TABS = [
  "charts",
  "trajectories",
  "evaluations",
  "retention",
  "artifacts",
  "logs",
  "config",
  "system",
] as const;
export type Tab = (typeof TABS)[number];

export const X_AXES = ["step", "tokens", "epoch", "time", "wall"] as const;
export type XAxis = (typeof X_AXES)[number];

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

export const EXAMPLE_SORTS = ["index", "-jsd", "jsd", "base_logprob", "-tokens"] as const;
export type ExampleSort = (typeof EXAMPLE_SORTS)[number];

export const LEVELS = ["debug", "info", "warning", "error"] as const;

export const runsSearch = (raw: RawSearch) =>
  defined({
    q: text(raw.q),
    status: manyOf(raw.status, STATUSES),
    /** Lists of texts (`joinList`): as the server reads them; columns; open groups. */
    filter: text(raw.filter),
    columns: text(raw.columns),
    open: text(raw.open),
    sort: text(raw.sort),
    group: text(raw.group),
    /** The saved view that this began as. */
    view: text(raw.view),
  });
export type RunsSearch = ReturnType<typeof runsSearch>;

export const SPANS = ["hour", "day"] as const;
export type Span = (typeof SPANS)[number];

export const workersSearch = (raw: RawSearch) =>
  defined({ past: oneOf(raw.past, SPANS), worker: text(raw.worker) });

export const datasetSearch = (raw: RawSearch) =>
  defined({
    version: whole(raw.version, 1),
    show: oneOf(raw.show, ["rows"] as const),
    page: whole(raw.page, 2),
    model: text(raw.model),
    against: text(raw.against),
  });
export type DatasetSearch = ReturnType<typeof datasetSearch>;

export const studiesSearch = (raw: RawSearch) =>
  defined({ q: text(raw.q), page: whole(raw.page, 2) });
export type StudiesSearch = ReturnType<typeof studiesSearch>;

export const studySearch = (raw: RawSearch) =>
  defined({
    metric: text(raw.metric),
    /** Further metrics of the table of all cells. */
    more: text(raw.more),
    show: oneOf(raw.show, ["gain"] as const),
    /** Factors at the rows and at the columns, and `factor=level` of those that are fixed. */
    rows: text(raw.rows),
    columns: text(raw.columns),
    fix: text(raw.fix),
    against: text(raw.against),
    pair: text(raw.pair),
    /** The cell that is open: its levels. */
    cell: text(raw.cell),
  });
export type StudySearch = Defined<ReturnType<typeof studySearch>>;

export const ARTIFACT_KINDS = ["adapter", "ema_adapter", "merged", "gguf", "hub"] as const;
export const ARTIFACT_SORTS = [
  "created_at",
  "-created_at",
  "bytes",
  "-bytes",
  "kind",
  "-kind",
  "run_name",
  "-run_name",
] as const;
export type ArtifactSort = (typeof ARTIFACT_SORTS)[number];

export const artifactsSearch = (raw: RawSearch) =>
  defined({
    q: text(raw.q),
    kind: oneOf(raw.kind, ARTIFACT_KINDS),
    run: text(raw.run),
    sort: oneOf(raw.sort, ARTIFACT_SORTS),
    page: whole(raw.page, 2),
  });
export type ArtifactsSearch = ReturnType<typeof artifactsSearch>;

export const newRunSearch = (raw: RawSearch) =>
  defined({
    from: text(raw.from),
    project: text(raw.project),
    preset: text(raw.preset),
    dataset: text(raw.dataset),
    benchmark: text(raw.benchmark),
    advanced: flag(raw.advanced),
    view: oneOf(raw.view, ["yaml", "json"] as const),
    // Preflight
    record: whole(raw.record, 1),
    sees: text(raw.sees),
  });
export type NewRunSearch = ReturnType<typeof newRunSearch>;

export const BANDS = ["sd", "range", "interval"] as const;
export type BandKind = (typeof BANDS)[number];
export const STATISTICS = ["last", "min", "max"] as const;
export type Statistic = (typeof STATISTICS)[number];

export const compareSearch = (raw: RawSearch) =>
  defined({
    runs: text(raw.runs),
    baseline: text(raw.baseline),
    seeds: oneOf(raw.seeds, ["apart"] as const),
    // Curves
    charts: text(raw.charts),
    smooth: numeric(raw.smooth, 0, 0.99),
    log: flag(raw.log),
    x: oneOf(raw.x, X_AXES),
    from: numeric(raw.from, -Number.MAX_VALUE, Number.MAX_VALUE),
    to: numeric(raw.to, -Number.MAX_VALUE, Number.MAX_VALUE),
    band: oneOf(raw.band, BANDS),
    // Tables
    value: oneOf(raw.value, STATISTICS),
    find: text(raw.find),
    config: oneOf(raw.config, ["all"] as const),
  });
export type CompareSearch = Defined<ReturnType<typeof compareSearch>>;

export const runSearch = (raw: RawSearch) =>
  defined({
    tab: oneOf(raw.tab, TABS),
    attempt: whole(raw.attempt, 1),
    // Charts
    smooth: numeric(raw.smooth, 0, 0.99),
    log: flag(raw.log),
    logx: flag(raw.logx),
    clip: flag(raw.clip),
    alone: flag(raw.alone),
    chart: text(raw.chart),
    x: oneOf(raw.x, X_AXES),
    from: numeric(raw.from, -Number.MAX_VALUE, Number.MAX_VALUE),
    to: numeric(raw.to, -Number.MAX_VALUE, Number.MAX_VALUE),
    // Trajectories
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
    // Evaluations
    evaluation: whole(raw.evaluation, 1),
    grade: oneOf(raw.grade, ["right", "wrong", "regressed"] as const),
    order: oneOf(raw.order, EXAMPLE_SORTS),
    example: whole(raw.example, 0),
    // Retention
    ...retentionSearch(raw),
    // Logs
    level: oneOf(raw.level, LEVELS),
    find: text(raw.find),
  });
export type RunSearch = Defined<ReturnType<typeof runSearch>>;
