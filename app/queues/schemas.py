"""What the queues' routes give."""

from __future__ import annotations

from pydantic import Field

from app.runs.schemas import RunSummary
from app.schemas import Schema
from core.schedule import Queue


class QueuedRun(Schema):
    """A run that waits."""

    run: RunSummary
    position: int = Field(description="Place in its queue, from 1.")
    reasons: list[str] = Field(description="What keeps it from starting now; empty: nothing.")


class QueueOut(Schema):
    """A queue."""

    name: Queue
    paused: bool
    changed_by: str | None = Field(description="Who paused or resumed it last.")
    changed_at: float | None = Field(description="When, in seconds since the Unix epoch.")
    waiting: int = Field(description="Runs that wait in it.")
    runs: list[QueuedRun] = Field(description="The first of them, in the order they start in.")


class QueueList(Schema):
    """All queues."""

    items: list[QueueOut]
