"""What the runs' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from app.configuration import ConfigIn
from app.schemas import Request, Schema
from core.config import RunConfig
from core.errors import Problem
from core.evaluation_job import EvaluationJob
from core.events import NonFinite
from core.states import RunKind, RunStatus


class RunCreate(Request):
    """A new run: its own configuration, or that of an experiment."""

    project_id: str | None = Field(
        default=None, description="Project. Absent: the experiment's, else the default project."
    )
    experiment_id: str | None = Field(default=None, description="Definition that it executes.")
    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] | None = Field(
        default=None, description="Name. Absent: one is made."
    )
    config: ConfigIn | None = Field(
        default=None, description="Configuration. Absent: the experiment's."
    )


class Progress(Schema):
    """How far a run is. Unknown figures are null, never 0."""

    step: int = Field(description="Optimizer steps done in the current attempt.")
    total_steps: int | None = Field(description="Optimizer steps planned; null before training.")
    phase_current: int | None = Field(description="Units done of the current phase.")
    phase_total: int | None = Field(description="Units of the current phase.")
    eta_seconds: float | None = Field(description="Estimated seconds left.")


class RunSummary(Schema):
    """A run as lists show it."""

    id: str
    project_id: str
    experiment_id: str | None
    kind: RunKind
    name: str
    status: RunStatus
    phase: str | None = Field(description="What a starting or running run is doing.")
    phase_detail: str
    progress: Progress
    model: str
    data: str = Field(
        description="Path of the data file, benchmark, data set, or names of what is asked."
    )
    attempt: int = Field(description="Number of the current attempt; 0 before the first.")
    worker: str | None = Field(description="Name of the worker that runs it, or ran it last.")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None = Field(description="From the first start to the end or now.")
    last_loss: float | None = Field(description="Latest `train/loss`.")
    sparkline: list[float | None] = Field(
        description="Up to 48 values of `train/loss`, evenly spaced over the attempt so far."
    )
    problem: Problem | None = Field(description="Why the run failed or crashed.")


class MetricSummary(Schema):
    """A metric of a run, over its attempts so far."""

    last: float | None = Field(description="Newest value; null where it is not finite.")
    non_finite: NonFinite | None = Field(description="What the newest value is, if not finite.")
    min: float | None = Field(description="Lowest finite value.")
    max: float | None = Field(description="Highest finite value.")


class RunRow(RunSummary):
    """A run in a list, with the fields and metrics that were asked for."""

    params: dict[str, Any] = Field(description="By path; those that the configuration has.")
    metrics: dict[str, MetricSummary] = Field(description="By path; those that were reported.")


class RunList(Schema):
    """Runs, newest first unless sorted otherwise."""

    items: list[RunRow]
    total: int
    limit: int
    offset: int


class AttemptOut(Schema):
    """A start or restart of a run."""

    number: int
    worker: str | None
    hostname: str
    directory: str = Field(description="Folder on that host that holds its files.")
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    exit_code: int | None


class ArtifactOut(Schema):
    """A file set that a run wrote."""

    id: int
    attempt: int
    kind: str
    directory: str = Field(description="Folder on the worker's host.")
    bytes: int
    sha256: str = Field(description="Hash of the weights file.")
    created_at: datetime


class AlarmOut(Schema):
    """Something that makes the training signal doubtful, or useless."""

    cursor: int
    attempt: int | None
    time: float = Field(description="Seconds since the Unix epoch.")
    code: str
    severity: Literal["warning", "error"]
    step: int = Field(description="Optimizer step at which it was seen.")
    message: str
    remedy: str


class DatasetReport(Schema):
    """What became of the run's data file."""

    sha256: str
    records: int
    train: int
    held_out: int
    dropped: dict[str, int] = Field(description="Records dropped, by reason.")


class RunDetail(RunSummary):
    """Everything about a run but its series."""

    config: RunConfig | EvaluationJob = Field(
        description="An `EvaluationJob` where the run only evaluates."
    )
    attempts: list[AttemptOut]
    max_attempts: int
    artifacts: list[ArtifactOut]
    alarm_count: int = Field(description="Alarms of all attempts.")
    alarms: list[AlarmOut] = Field(description="The latest 100, latest first.")
    dataset: DatasetReport | None
    device: str | None = Field(description="Device of the latest attempt, in words.")
    dtype: str | None = Field(description="Number format of the frozen weights.")
    versions: dict[str, str] | None = Field(description="Library versions of the latest attempt.")
    metric_names: list[str] = Field(description="Metrics that the latest attempt reported.")
    cursor: int = Field(description="Number of the run's latest event.")


class RunCreated(RunDetail):
    """The new run, and what one should know about its input."""

    warnings: list[Problem]


class Validation(Schema):
    """Verdict on a configuration, without starting anything."""

    valid: bool
    errors: list[Problem]
    warnings: list[Problem]


class NonFinitePoint(Schema):
    """A value that JSON has no number for."""

    step: int
    value: NonFinite


class Series(Schema):
    """One metric over steps; where there are too many points, buckets keep their extremes."""

    name: str
    steps: list[int]
    values: list[float | None] = Field(description="Null where the value was not finite.")
    non_finite: list[NonFinitePoint] = Field(description="What those values were.")
    times: list[float] = Field(description="Seconds since the Unix epoch.")
    points: int = Field(description="Points in the range before reduction.")


class MetricSeries(Schema):
    """Series of one attempt, and the cursor up to which they are complete."""

    attempt: int | None
    cursor: int = Field(description="Follow the events after this one to stay up to date.")
    items: list[Series]


class LogLine(Schema):
    """A line of a run's log."""

    cursor: int
    attempt: int | None
    time: float = Field(description="Seconds since the Unix epoch.")
    level: Literal["debug", "info", "warning", "error"]
    message: str


class LogPage(Schema):
    """Log lines in order; `before` the first one's cursor leads further back."""

    items: list[LogLine]
    total: int
    limit: int
    cursor: int = Field(description="Follow the events after this one to stay up to date.")


class RunEventOut(Schema):
    """One event of a run, as the stream sends it in `data:`; `id:` is its cursor.

    `payload` is the trainer's event (`TrainEvent` without `v`, `seq`, `time`, `kind`), or for
    `status` an object with `status`, `attempt` and `problem`.
    """

    cursor: int
    attempt: int | None
    kind: Literal[
        "status",
        "started",
        "phase",
        "dataset",
        "metrics",
        "log",
        "alarm",
        "evaluation",
        "trajectory",
        "artifact",
        "finished",
    ]
    step: int | None
    time: float = Field(description="Seconds since the Unix epoch.")
    payload: dict[str, Any]
