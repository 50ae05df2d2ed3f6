"""Workers: processes on GPU hosts that execute runs, and the queues that they serve."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import ID_LENGTH, Base, new_id, utc_now
from core.schedule import Queue


class Worker(Base):
    """A worker by host and name; it keeps its row over restarts. `last_seen` is database time."""

    __tablename__ = "workers"

    id: Mapped[str] = mapped_column(String(ID_LENGTH), primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    hostname: Mapped[str] = mapped_column(String(255))
    host_key: Mapped[str] = mapped_column(String(100), default="")
    """Names the set of processes in which `pid` means this worker."""
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    starts: Mapped[int] = mapped_column(default=1)
    last_seen: Mapped[float] = mapped_column(Float)
    gone: Mapped[bool] = mapped_column(default=False)
    run_id: Mapped[str | None] = mapped_column(String(ID_LENGTH))
    hardware: Mapped[dict[str, Any]]
    usage: Mapped[dict[str, Any]]
    versions: Mapped[dict[str, Any]]
    labels: Mapped[list[str]] = mapped_column(JSON, default=list)
    queues: Mapped[list[str]] = mapped_column(
        JSON, default=lambda: [queue.value for queue in Queue]
    )
    mode: Mapped[str] = mapped_column(String(20), default="active")
    """`active`, `draining` or `quarantined`; only an active worker takes runs."""
    mode_reason: Mapped[str] = mapped_column(String(1000), default="")
    mode_by: Mapped[str] = mapped_column(String(200), default="")
    mode_since: Mapped[float | None] = mapped_column(Float)


class WorkerSample(Base):
    """What a worker's host was doing at one time; older ones are thinned out."""

    __tablename__ = "worker_samples"

    worker_id: Mapped[str] = mapped_column(
        ForeignKey("workers.id", ondelete="CASCADE"), primary_key=True
    )
    time: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Seconds since the Unix epoch, by the database's clock."""
    usage: Mapped[dict[str, Any]]


class QueueState(Base):
    """Whether a queue gives out runs; absent: it does."""

    __tablename__ = "queue_states"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    paused: Mapped[bool]
    changed_by: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[float] = mapped_column(Float)
