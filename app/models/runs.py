"""Runs, their attempts, and what the attempts reported.

`events.jsonl` on the worker is the truth; these tables are its index. Every reported event carries
(attempt, seq), unique, so that reading a file twice changes nothing. `cursor` numbers a run's
events in commit order: it is handed out under the run's row lock.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Enum, Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base, new_id, utc_now
from app.models.facts import fact
from core.schedule import Queue
from core.states import RunKind, RunStatus

BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only on a plain INTEGER primary key."""


_LISTED = (
    "deleting",
    "project_id",
    "created_at",
    "id",
    "kind",
    "status",
    "name",
    "method",
    "mechanisms",
    "model",
    "data",
    "seed",
    "study_id",
    "worker_id",
)
"""What lists are filtered, sorted and grouped by. SQLite keeps a row with its configuration on many
pages, so there these are read from an index alone; PostgreSQL packs it, and has a limit to what an
entry of an index holds."""


class Run(Base):
    """One execution of a frozen configuration."""

    __tablename__ = "runs"
    __table_args__ = (
        Index(None, "project_id", "deleting", "created_at"),
        Index("ix_runs_list", *_LISTED, info={"only": "sqlite"}).ddl_if(dialect="sqlite"),
        Index(None, "status", "lease_expires_at"),
        Index(None, "study_id", "study_place"),
        Index(None, "status", "queue", "priority", "queue_place"),
    )

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    experiment_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiments.id", ondelete="SET NULL")
    )
    kind: Mapped[RunKind] = mapped_column(
        Enum(
            RunKind,
            native_enum=False,
            length=20,
            name="kind",
            create_constraint=True,
            values_callable=lambda kinds: [kind.value for kind in kinds],
        ),
        default=RunKind.TRAINING,
        server_default=RunKind.TRAINING.value,
    )
    study_id: Mapped[str | None] = mapped_column(ForeignKey("studies.id", ondelete="SET NULL"))
    study_place: Mapped[int | None]
    study_levels: Mapped[dict[str, Any] | None]
    name: Mapped[str] = mapped_column(String(200))
    config: Mapped[dict[str, Any]]
    model: Mapped[str | None] = mapped_column(Text, default=fact("model"))
    data: Mapped[str | None] = mapped_column(Text, default=fact("data"))
    seed: Mapped[int | None] = mapped_column(BigInteger, default=fact("seed"))
    method: Mapped[str | None] = mapped_column(String(200), default=fact("method"))
    mechanisms: Mapped[str | None] = mapped_column(String(200), default=fact("mechanisms"))
    status: Mapped[RunStatus] = mapped_column(
        Enum(
            RunStatus,
            native_enum=False,
            length=20,
            name="status",
            create_constraint=True,
            values_callable=lambda states: [state.value for state in states],
        ),
        default=RunStatus.QUEUED,
    )
    problem: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    enqueued_at: Mapped[float | None] = mapped_column(Float)

    phase: Mapped[str | None] = mapped_column(String(20))
    phase_detail: Mapped[str] = mapped_column(String(500), default="")
    phase_current: Mapped[int | None]
    phase_total: Mapped[int | None]
    step: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int | None]
    step_seconds: Mapped[float | None] = mapped_column(Float)
    last_loss: Mapped[float | None] = mapped_column(Float)
    dataset: Mapped[dict[str, Any] | None]
    started_on: Mapped[dict[str, Any] | None]

    version: Mapped[int] = mapped_column(default=1)
    """Counts changes by people and of state, so that nobody steers by an old view."""
    deleting: Mapped[bool] = mapped_column(default=False)

    queue: Mapped[str] = mapped_column(String(20), default=Queue.GPU.value)
    priority: Mapped[int] = mapped_column(default=0)
    queue_place: Mapped[float] = mapped_column(Float, default=0.0)
    """Orders runs of one priority, lowest first."""
    not_before: Mapped[float | None] = mapped_column(Float)
    """Start of the next attempt at the earliest, by the database's clock."""
    labels: Mapped[list[str]] = mapped_column(JSON, default=list)
    gpu_memory_bytes: Mapped[int | None] = mapped_column(BigInteger)
    time_limit_seconds: Mapped[float | None] = mapped_column(Float)
    used_seconds: Mapped[float] = mapped_column(Float, default=0.0)
    """Time of the attempts that are over."""
    stop_mode: Mapped[str | None] = mapped_column(String(20))
    kill_at: Mapped[float | None] = mapped_column(Float)
    """When a stopping trainer is killed; set by its worker as soon as that knows of the wish."""

    worker_id: Mapped[str | None] = mapped_column(ForeignKey("workers.id", ondelete="SET NULL"))
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_expires_at: Mapped[float | None] = mapped_column(Float)
    attempt_count: Mapped[int] = mapped_column(default=0)
    interruptions: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    event_cursor: Mapped[int] = mapped_column(BigInteger, default=0)


class RunTag(Base):
    """A word that people put on a run."""

    __tablename__ = "run_tags"
    __table_args__ = (Index(None, "tag", "run_id"),)

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    tag: Mapped[str] = mapped_column(String(64), primary_key=True)


class Attempt(Base):
    """A start or restart of a run, on one worker, in one folder."""

    __tablename__ = "attempts"
    __table_args__ = (Unique("run_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    number: Mapped[int]
    worker_id: Mapped[str | None] = mapped_column(ForeignKey("workers.id", ondelete="SET NULL"))
    hostname: Mapped[str] = mapped_column(String(255))
    directory: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(20))
    exit_code: Mapped[int | None]
    pid: Mapped[int | None]
    """Process of the trainer on that host."""
    resumed: Mapped[dict[str, Any] | None]
    """After which step it went on, and whether exactly."""
    gpu_memory: Mapped[dict[str, Any] | None]
    """Memory in use on the worker's GPUs before and after the attempt."""
    ingested_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    output_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    """How much of what the trainer printed is copied."""
    drained: Mapped[bool] = mapped_column(default=False)


class RunEvent(Base):
    """One thing that happened to a run, in the order in which it became known."""

    __tablename__ = "run_events"
    __table_args__ = (Unique("attempt_id", "seq"), Index(None, "run_id", "kind", "cursor"))

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    cursor: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    attempt_id: Mapped[int | None] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    attempt_number: Mapped[int | None]
    seq: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    step: Mapped[int | None]
    time: Mapped[float] = mapped_column(Float)
    payload: Mapped[dict[str, Any]]


_SUMMARIES: Final = (
    "run_id",
    "step",
    "id",
    "attempt_id",
    "pinned",
    "truncated",
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
)


class Trajectory(Base):
    """A recorded rollout; its per-token values are a row of a Parquet file of the attempt."""

    __tablename__ = "trajectories"
    __table_args__ = (
        Unique("attempt_id", "seq"),
        # All that lists filter and sort by, so that they need not read the texts.
        Index("ix_trajectories_list", *_SUMMARIES),
        # Which rollout a place in a file is.
        Index(None, "attempt_id", "file", "row"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[int]
    record_id: Mapped[str] = mapped_column(String(200))
    pinned: Mapped[bool]
    prompt: Mapped[str] = mapped_column(Text)
    completion: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    tokens: Mapped[int]
    truncated: Mapped[bool]
    divergence: Mapped[float | None] = mapped_column(Float)
    disagreement: Mapped[float | None] = mapped_column(Float)
    disagreement_max: Mapped[float | None] = mapped_column(Float)
    weight: Mapped[float | None] = mapped_column(Float)
    clipped_share: Mapped[float | None] = mapped_column(Float)
    contrastive_share: Mapped[float | None] = mapped_column(Float)
    feature_distance: Mapped[float | None] = mapped_column(Float)
    grade: Mapped[float | None] = mapped_column(Float)
    loss: Mapped[float | None] = mapped_column(Float)
    file: Mapped[str] = mapped_column(Text)
    row: Mapped[int]


class Artifact(Base):
    """A file set that an attempt wrote completely."""

    __tablename__ = "artifacts"
    __table_args__ = (Unique("attempt_id", "seq"), Index(None, "run_id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    attempt_id: Mapped[int] = mapped_column(ForeignKey("attempts.id", ondelete="CASCADE"))
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(20))
    path: Mapped[str] = mapped_column(Text)
    bytes: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
