"""What the runs' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from app.config_in import ConfigIn
from app.schemas import Request, Schema
from core.config import RunConfig
from core.errors import Problem
from core.evaluation_job import EvaluationJob
from core.events import NonFinite
from core.export_job import ExportJob
from core.schedule import HIGHEST_PRIORITY, LOWEST_PRIORITY, Label, Queue, Schedule
from core.states import Cause, RunKind, RunStatus, StopMode


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
    schedule: Schedule = Field(default_factory=Schedule, description="When and where it runs.")


class Steer(Request):
    """With each wish, optionally: the version of the run that the person saw."""

    version: int | None = Field(
        default=None,
        description="`version` of the run as it was seen; refused with 409 if it has changed.",
    )


class StopWish(Steer):
    """How a run is to end."""

    mode: StopMode = Field(
        default=StopMode.SAVE,
        description="`save`: finish the step and keep everything. `discard`: end at once, keep no "
        "weights of this attempt. `force`: like `save`, but killed after a short countdown.",
    )


class RunMove(Steer):
    """Where a waiting run is to stand."""

    before: str | None = Field(
        default=None, description="Waiting run before which it goes. Null: behind all."
    )


class RunChange(Steer):
    """What can be changed about a run; absent fields stay."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")] = Field(default="")
    priority: int = Field(default=0, ge=LOWEST_PRIORITY, le=HIGHEST_PRIORITY)
    labels: list[Label] = Field(default_factory=list, max_length=16)
    gpu_memory_bytes: Annotated[int, Field(ge=1, le=2**50)] | None = None
    max_attempts: int = Field(default=1, ge=1, le=100)
    time_limit_seconds: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None


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
    project: str = Field(description="Name of the project.")
    experiment_id: str | None
    kind: RunKind
    name: str
    status: RunStatus
    phase: str | None = Field(description="What a starting or running run is doing.")
    phase_detail: str
    progress: Progress
    model: str = Field(description="Empty where the configuration names none.")
    data: str = Field(
        description="Path of the data file, benchmark, data set, or names of what is asked."
    )
    seed: int | None
    method: str | None = Field(
        description="Preset with the same mechanisms, else the mechanisms; null for an evaluation."
    )
    mechanisms: list[str] = Field(description="What is on: `ema`, `clip`, `agreement` …")
    study_id: str | None
    study: str | None = Field(description="Name of the study.")
    tags: list[str]
    attempt: int = Field(description="Number of the current attempt; 0 before the first.")
    worker: str | None = Field(description="Name of the worker that runs it, or ran it last.")
    version: int = Field(description="Send it with a wish to be refused if the run has changed.")
    queue: Queue
    priority: int
    stop_mode: StopMode | None = Field(description="How a stopping run is to end.")
    retry_at: float | None = Field(
        description="Start of the next attempt at the earliest, seconds since the Unix epoch."
    )
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


class RunPick(Schema):
    """What one must know of a run to decide about it."""

    id: str
    name: str
    kind: RunKind
    status: RunStatus
    attempt: int
    version: int


class RunPicks(Schema):
    """Runs in the list's order, without their rows."""

    items: list[RunPick]
    total: int
    limit: int
    offset: int


class Spread(Schema):
    """A metric's newest values in a group of runs."""

    count: int = Field(description="Runs with a finite one.")
    mean: float
    lowest: float
    highest: float


class RunGroup(Schema):
    """Runs with the same value of a field."""

    value: str = Field(description="As filters name it; empty for runs without a value.")
    label: str
    count: int
    states: dict[RunStatus, int]
    metrics: dict[str, Spread]


class RunGroups(Schema):
    """The groups in the order of their labels, those without a value last."""

    by: str
    items: list[RunGroup]
    total: int = Field(description="Groups in all; more than are given only beyond 1000.")


class Parameter(Schema):
    """A plain field of configurations."""

    path: str
    kind: Literal["text", "number", "flag"]


class RunFields(Schema):
    """What else a list can show, and be sorted and filtered by."""

    metrics: list[str] = Field(description="Paths for `metric:`.")
    parameters: list[Parameter] = Field(description="Paths for `param:`.")


Tag = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f,]+$"
    ),
]


class Tags(Request):
    """All tags of a run."""

    tags: list[Tag] = Field(max_length=50)


class BulkRun(Request):
    """A run as it was seen."""

    id: Annotated[str, Field(max_length=40, pattern=r"^[^\x00]*$")]
    version: int | None = None


class BulkWish(Request):
    """One wish about many runs."""

    action: Literal["stop", "resume", "clone", "tag", "delete"] = Field(
        description="`stop` takes those out of the queue that have not started."
    )
    runs: list[BulkRun] = Field(min_length=1, max_length=500)
    mode: StopMode = Field(default=StopMode.SAVE, description="Of a stop.")
    add: list[Tag] = Field(default_factory=list, max_length=20, description="Tags to put on.")
    remove: list[Tag] = Field(default_factory=list, max_length=20, description="Tags to take off.")


class BulkOutcome(Schema):
    """What became of the wish for one run."""

    id: str
    name: str | None = Field(description="Null where there is no such run.")
    created_id: str | None = Field(description="Of a clone: the new run.")
    problem: Problem | None = Field(description="Why nothing was changed; null: it was done.")


class BulkOutcomes(Schema):
    """One outcome for each run, in the order of the wish."""

    items: list[BulkOutcome]
    done: int
    refused: int


class Resumed(Schema):
    """From where an attempt went on."""

    step: int = Field(description="Optimizer steps done before it.")
    exact: bool = Field(description="Whether it goes on bit for bit as if it had not been cut off.")
    reason: str = Field(description="Why not, if not.")


class GpuMemory(Schema):
    """Proof that a GPU's memory came back after the trainer's end."""

    before: int = Field(description="Bytes in use on the worker's GPUs before the attempt.")
    after: int = Field(description="The same when the trainer had ended.")
    returned: bool = Field(description="Whether the difference is negligible.")


class Waiting(Schema):
    """Where a queued run stands and what it waits for."""

    position: int = Field(description="Place in its queue, from 1.")
    reasons: list[str] = Field(description="What keeps it from starting now; empty: nothing.")


class Contact(Schema):
    """How a started run and its worker stand to each other."""

    heard: float = Field(description="Seconds since the worker was last heard of.")
    stale: bool = Field(description="Whether that is so long that it may be cut off.")
    lease_left: float = Field(description="Seconds until the run is taken back from a silent one.")
    wish_pending: bool = Field(description="Whether the worker does not know of the stop yet.")
    kill_in: float | None = Field(
        description="Seconds until a stopping trainer is killed; null before its worker knows."
    )


class TransitionOut(Schema):
    """A change of a run's state, or something that a person changed about it. Never altered."""

    cursor: int
    time: float = Field(description="Seconds since the Unix epoch, by the database's clock.")
    actor: str = Field(description="Person, worker or reaper.")
    status: RunStatus | None = Field(description="New state; null where only `changes` changed.")
    previous: RunStatus | None
    cause: Cause | None
    attempt: int | None
    problem: Problem | None
    changes: dict[str, Any] = Field(description="Name to [before, after].")


class TransitionList(Schema):
    """A run's history, oldest first."""

    items: list[TransitionOut]


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
    resumed: Resumed | None = Field(description="Null where it began at step 0.")
    gpu_memory: GpuMemory | None = Field(description="Null on a host without GPUs.")


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

    config: RunConfig | EvaluationJob | ExportJob = Field(
        description="An `EvaluationJob` where the run only evaluates, an `ExportJob` where it "
        "exports."
    )
    attempts: list[AttemptOut]
    max_attempts: int
    labels: list[str] = Field(description="What its worker must carry.")
    gpu_memory_bytes: int | None
    time_limit_seconds: float | None
    used_seconds: float = Field(description="Time of the attempts that are over.")
    waiting: Waiting | None = Field(description="Only of a queued run.")
    contact: Contact | None = Field(description="Only of a run that a worker has.")
    artifacts: list[ArtifactOut]
    alarm_count: int = Field(description="Alarms of all attempts.")
    alarms: list[AlarmOut] = Field(description="The latest 100, latest first.")
    dataset: DatasetReport | None
    device: str | None = Field(description="Device of the latest attempt, in words.")
    dtype: str | None = Field(description="Number format of the frozen weights.")
    versions: dict[str, str] | None = Field(description="Library versions of the latest attempt.")
    environment: dict[str, Any] = Field(
        description="Packages, commit, drivers, variables and seed of the latest attempt."
    )
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
    low: list[float | None] | None = Field(
        default=None,
        description="As `bands`: the lowest finite value of each bucket; null where there are no "
        "more points than were asked for, so that each stands for itself.",
    )
    high: list[float | None] | None = Field(default=None, description="The highest likewise.")
    counts: list[int] | None = Field(default=None, description="Points in each bucket likewise.")


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
    source: Literal["log", "output"] = Field(
        description="`log`: reported by the trainer; `output`: printed by it, some lines at once."
    )
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
    `status` an object with `status`, `previous`, `cause`, `actor`, `attempt`, `problem` and
    `retry_at`; for `steering` one with `actor` and `changes`; for `output` one with `text`, lines
    that the trainer printed.
    """

    cursor: int
    attempt: int | None
    kind: Literal[
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
    ]
    step: int | None
    time: float = Field(description="Seconds since the Unix epoch.")
    payload: dict[str, Any]
