"""What a run reports: one JSON object a line, numbered without gaps within an attempt.

The trainer writes these lines to `events.jsonl`; the worker copies them into SQL; the browser gets
them as Server-Sent Events. JSON has no number for what is not finite: a metric is then written as
the text `NaN`, `Infinity` or `-Infinity`, any other number as null.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from core.errors import Problem
from core.export_job import ExportCheck, ExportedFile

EVENT_VERSION: Final = 1


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
"""As long as the columns that hold it."""


NonFinite = Literal["NaN", "Infinity", "-Infinity"]
"""Names of the values that JSON has no number for."""

MetricValue = float | NonFinite | None


def written(value: float) -> float | NonFinite:
    """A metric's value as events carry it."""
    return value if math.isfinite(value) else name_of(value)


def name_of(value: float) -> NonFinite:
    """What to call a value that is not finite."""
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def number(value: MetricValue) -> float:
    """The inverse of `written`; null, which older events have, is not a number."""
    return math.nan if value is None else float(value)


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    v: Literal[1] = Field(default=EVENT_VERSION, description="Version of the event's format.")
    seq: int = Field(ge=0, description="Number of the event within its attempt, from 0.")
    time: float = Field(description="Wall-clock time, seconds since the Unix epoch.")


class StartedEvent(_Event):
    """First event of an attempt: what runs, on what."""

    kind: Literal["started"] = "started"
    device: str = Field(description="Device in words, for example `cpu (2 threads)`.")
    dtype: str = Field(description="Number format of the frozen weights.")
    versions: dict[str, str] = Field(description="Versions of Python and the libraries used.")
    environment: dict[str, Any] = Field(
        default_factory=dict,
        description="All packages, commit of the code, drivers, seed: what a run was made with.",
    )


class ResumedEvent(_Event):
    """The attempt goes on from a checkpoint."""

    kind: Literal["resumed"] = "resumed"
    step: int = Field(ge=0, description="Optimizer steps done before.")
    exact: bool = Field(description="Whether it goes on bit for bit as if nothing had happened.")
    reason: str = Field(default="", description="Why that is not promised.")


class PhaseEvent(_Event):
    """The run entered a phase, or moved on within it."""

    kind: Literal["phase"] = "phase"
    phase: Literal[
        "preparing",
        "loading",
        "training",
        "evaluating",
        "saving",
        "exporting",
        "checking",
        "pushing",
    ]
    detail: str = Field(default="", description="What exactly is being done.")
    current: int | None = Field(default=None, ge=0, description="Units done.")
    total: int | None = Field(default=None, ge=0, description="Units in all.")


class DatasetEvent(_Event):
    """What became of the data file."""

    kind: Literal["dataset"] = "dataset"
    sha256: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Hash of the file's bytes."
    )
    records: int = Field(ge=0, description="Records read.")
    train: int = Field(ge=0, description="Records used for training.")
    held_out: int = Field(ge=0, description="Records held out for evaluation.")
    dropped: dict[str, int] = Field(description="Records dropped, by reason.")


class MetricsEvent(_Event):
    """Metrics after an optimizer step. Metrics of a mechanism that is off are absent."""

    kind: Literal["metrics"] = "metrics"
    step: int = Field(ge=0, description="Optimizer steps done.")
    total_steps: int = Field(ge=1, description="Optimizer steps planned.")
    epoch: float = Field(ge=0, description="Passes over the records so far.")
    values: dict[Name, MetricValue] = Field(
        description="Metric path to value; `NaN`, `Infinity` or `-Infinity` where it was not "
        "finite, null in events of older trainers."
    )


class LogEvent(_Event):
    """A line for the log."""

    kind: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    message: str


class AlarmEvent(_Event):
    """Something makes the training signal doubtful, or useless."""

    kind: Literal["alarm"] = "alarm"
    code: Name = Field(description="Machine-readable, for example `teacher_equals_student`.")
    severity: Literal["warning", "error"] = "warning"
    step: int = Field(ge=0, description="Optimizer step at which it was seen.")
    message: str
    remedy: str = ""


class TrajectoryEvent(_Event):
    """A rollout was recorded; its per-token values are a row of a Parquet file beside the log."""

    kind: Literal["trajectory"] = "trajectory"
    step: int = Field(ge=0, description="Optimizer step whose batch it belongs to, from 1.")
    record_id: Name = Field(description="Identifier of the data record.")
    pinned: bool = Field(description="Whether it is a pinned example.")
    prompt: str = Field(description="Student prompt, as the record gives it.")
    completion: str = Field(description="Text that the student sampled.")
    reference: str = Field(description="Reference answer of the record.")
    tokens: int = Field(ge=0, description="Completion tokens.")
    truncated: bool = Field(description="Whether the rollout ended without an end token.")
    divergence: float | None = Field(description="Mean divergence per token, nats.")
    disagreement: float | None = Field(
        default=None, description="Mean disagreement of the auxiliary teachers per token."
    )
    disagreement_max: float | None = Field(
        default=None, description="Disagreement at the token at which it is largest."
    )
    weight: float | None = Field(default=None, description="Mean agreement weight per token.")
    clipped_share: float | None = Field(
        default=None, description="Share of the tokens whose divergence was clipped."
    )
    contrastive_share: float | None = Field(
        default=None, description="Share of the tokens at which the contrastive term is not 0."
    )
    feature_distance: float | None = Field(
        default=None, description="Mean squared distance of the final hidden states."
    )
    grade: float | None = Field(
        default=None, description="1: the completion is right; 0: it is not; null: not graded."
    )
    loss: float | None = Field(
        default=None, description="Share in the step's loss; null outside of its batch."
    )
    file: str = Field(description="Parquet file, relative to the attempt's folder.")
    row: int = Field(ge=0, description="Row in that file.")


class EvaluationEvent(_Event):
    """A set of questions was answered and graded; its examples are in files beside the log."""

    kind: Literal["evaluation"] = "evaluation"
    set: Name = Field(description="The set's name.")
    step: int = Field(ge=0, description="Optimizer steps done; 0 also for an evaluation alone.")
    path: str = Field(description="Folder of the examples, relative to the attempt's folder.")
    summary: dict[str, Any] = Field(description="Figures, as `summary.json` has them.")


class ArtifactEvent(_Event):
    """A file set was written completely."""

    kind: Literal["artifact"] = "artifact"
    artifact: Literal["adapter", "ema_adapter"]
    path: str = Field(description="Path relative to the attempt's folder.")
    bytes: int = Field(ge=0)
    sha256: Annotated[str, StringConstraints(max_length=64)] = Field(
        description="Hash of the weights file."
    )


class ExportEvent(_Event):
    """An export was made whole and passed its check, or did not pass it."""

    kind: Literal["export"] = "export"
    path: str | None = Field(
        description="Folder of the files, relative to the attempt's; null: none are kept here."
    )
    files: list[ExportedFile] = Field(description="The files, by path.")
    check: ExportCheck = Field(description="How the exported thing's answer compares.")
    url: str | None = Field(default=None, description="Where the hub shows a push.")
    licence: str | None = Field(default=None, description="The base's licence, where it is known.")


class FinishedEvent(_Event):
    """Last event of an attempt that ended by itself."""

    kind: Literal["finished"] = "finished"
    outcome: Literal["succeeded", "stopped", "failed"]
    problem: Problem | None = Field(default=None, description="Why it failed.")


TrainEvent = Annotated[
    StartedEvent
    | ResumedEvent
    | PhaseEvent
    | DatasetEvent
    | MetricsEvent
    | LogEvent
    | AlarmEvent
    | TrajectoryEvent
    | EvaluationEvent
    | ArtifactEvent
    | ExportEvent
    | FinishedEvent,
    Field(discriminator="kind"),
]

train_event_adapter: TypeAdapter[TrainEvent] = TypeAdapter(TrainEvent)
"""Parses and serialises one line of `events.jsonl`."""
