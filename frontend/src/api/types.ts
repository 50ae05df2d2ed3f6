/** Names for the shapes that the generated schema describes. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Problem = Schemas["Problem"];
export type ProblemDetails = Schemas["ProblemDetails"];
export type RunStatus = Schemas["RunStatus"];
export type RunSummary = Schemas["RunRow"];
export type RunDetail = Schemas["RunDetail"];
export type RunList = Schemas["RunList"];
export type Progress = Schemas["Progress"];
export type Attempt = Schemas["AttemptOut"];
export type Artifact = Schemas["ArtifactOut"];
export type Alarm = Schemas["AlarmOut"];
export type Preset = Schemas["PresetOut"];
export type Series = Schemas["Series"];
export type MetricSeries = Schemas["MetricSeries"];
export type LogLine = Schemas["LogLine"];
export type LogLevel = LogLine["level"];
export type TrajectorySummary = Schemas["TrajectorySummary"];
export type TrajectoryOverview = Schemas["TrajectoryOverview"];
export type TrajectoryDetail = Schemas["TrajectoryDetail"];
export type TokenValues = Schemas["TokenValues"];
export type Evaluation = Schemas["EvaluationOut"];
export type EvaluationExample = Schemas["Example"];
export type Strip = Schemas["Strip"];
export type Dataset = Schemas["DatasetOut"];
export type DatasetDetail = Schemas["DatasetDetail"];
export type DatasetVersion = Schemas["VersionOut"];
export type DatasetReport = DatasetVersion["report"];
export type DatasetMapping = DatasetVersion["mapping"];
export type DatasetRow = Schemas["RawRow"];
export type DatasetHistogram = Schemas["Histogram"];
export type StopMode = Schemas["StopMode"];
export type Waiting = Schemas["Waiting"];
export type Contact = Schemas["Contact"];
export type Transition = Schemas["TransitionOut"];
export type Cause = Schemas["Cause"];
export type Queue = Schemas["QueueOut"];
export type QueueName = Schemas["Queue"];
export type QueuedRun = Schemas["QueuedRun"];
export type Sample = Schemas["Sample"];
export type Worker = Schemas["WorkerOut"];
export type Gpu = Schemas["Gpu"];
export type Hit = Schemas["Hit"];
export type Benchmark = Schemas["BenchmarkOut"];
export type Project = Schemas["ProjectOut"];
export type Readiness = Schemas["Readiness"];
export type Validation = Schemas["Validation"];
export type Preflight = Schemas["Preflight"];
export type WorkerFit = Schemas["WorkerFit"];
export type RenderedView = Schemas["RenderedView"];
export type RunComparison = Schemas["RunComparison"];
export type ComparedColumn = Schemas["ComparedColumn"];
export type ComparedRun = Schemas["ComparedRun"];
export type ConfigRow = Schemas["ConfigRow"];
export type MetricRow = Schemas["MetricRow"];
export type MetricCell = Schemas["Cell"];
export type EvaluationRow = Schemas["EvaluationRow"];
export type EvaluationCell = Schemas["EvaluationCell"];
export type EvaluationPair = Schemas["EvaluationPair"];
export type PairComparison = Schemas["Comparison"];
export type Interval = Schemas["Interval"];
export type ComparedCurve = Schemas["Curve"];

export const EVENT_KINDS = [
  "status",
  "steering",
  "output",
  "started",
  "resumed",
  "phase",
  "dataset",
  "metrics",
  "log",
  "alarm",
  "evaluation",
  "trajectory",
  "artifact",
  "export",
  "finished",
] as const;

export type EventKind = (typeof EVENT_KINDS)[number];

/** One message of a run's event stream (`RunEventOut`). */
export interface RunEvent {
  cursor: number;
  attempt: number | null;
  kind: EventKind;
  step: number | null;
  time: number;
  payload: Record<string, unknown>;
}

export const ACTIVE: readonly RunStatus[] = ["queued", "starting", "running", "stopping"];
export const isActive = (status: RunStatus): boolean => ACTIVE.includes(status);
export const isResumable = (status: RunStatus): boolean =>
  status === "stopped" || status === "failed" || status === "crashed";
/** What has started is stopped, even while it waits for its next attempt. */
export const isStoppable = (run: Pick<RunSummary, "status" | "attempt">): boolean =>
  run.status === "running" ||
  run.status === "starting" ||
  (run.status === "queued" && run.attempt > 0);
export const isCancellable = (run: Pick<RunSummary, "status" | "attempt">): boolean =>
  run.status === "queued" && run.attempt === 0;
export const isDeletable = (status: RunStatus): boolean => status === "queued" || !isActive(status);
