"""All SQL that reads single runs; `listing` has that of lists."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Artifact, Attempt, Run, RunEvent, Worker
from core.states import RunStatus


def worker_names(session: Session, worker_ids: set[str]) -> dict[str, str]:
    """Names of workers by identifier."""
    rows = session.execute(select(Worker.id, Worker.name).where(Worker.id.in_(worker_ids)))
    return dict(rows.all())


def attempts(session: Session, run_id: str) -> list[Attempt]:
    """A run's attempts, first to last."""
    return list(
        session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.number))
    )


def find_attempt(session: Session, run_id: str, number: int | None) -> Attempt | None:
    """One attempt by number; without a number the latest."""
    statement = select(Attempt).where(Attempt.run_id == run_id)
    if number is not None:
        statement = statement.where(Attempt.number == number)
    return session.scalars(statement.order_by(Attempt.number.desc()).limit(1)).one_or_none()


def artifacts(session: Session, run_id: str) -> list[Artifact]:
    """What a run wrote: the latest attempt first, each in its order."""
    return list(
        session.scalars(
            select(Artifact)
            .where(Artifact.run_id == run_id)
            .order_by(Artifact.attempt_id.desc(), Artifact.id)
        )
    )


def heads(session: Session, run_ids: Sequence[str]) -> dict[str, tuple[int, RunStatus]]:
    """The number of each run's latest event, and its state."""
    statement = select(Run.id, Run.event_cursor, Run.status).where(Run.id.in_(run_ids))
    return {run_id: (cursor, status) for run_id, cursor, status in session.execute(statement)}


def events_after(session: Session, run_id: str, cursor: int, limit: int) -> list[RunEvent]:
    """The run's events after a cursor, in order."""
    statement = (
        select(RunEvent)
        .where(RunEvent.run_id == run_id, RunEvent.cursor > cursor)
        .order_by(RunEvent.cursor)
        .limit(limit)
    )
    return list(session.scalars(statement))


def alarm_events(session: Session, run_id: str, limit: int) -> tuple[list[RunEvent], int]:
    """A run's latest alarms, latest first, and how many there are in all."""
    wanted = [RunEvent.run_id == run_id, RunEvent.kind == "alarm"]
    total = session.execute(select(func.count(RunEvent.cursor)).where(*wanted)).scalar_one()
    statement = select(RunEvent).where(*wanted).order_by(RunEvent.cursor.desc()).limit(limit)
    return list(session.scalars(statement)), total


def log_events(
    session: Session, run_id: str, *, before: int | None, text: str | None, limit: int
) -> tuple[list[RunEvent], int]:
    """The last log events before a cursor, in order, and how many there are in all.

    What the trainer printed is among them.
    """
    wanted = [RunEvent.run_id == run_id, RunEvent.kind.in_(("log", "output"))]
    if text:
        message = RunEvent.payload["message"].as_string().icontains(text, autoescape=True)
        printed = RunEvent.payload["text"].as_string().icontains(text, autoescape=True)
        wanted.append(message | printed)
    total = session.execute(select(func.count(RunEvent.cursor)).where(*wanted)).scalar_one()
    statement = select(RunEvent).where(*wanted).order_by(RunEvent.cursor.desc()).limit(limit)
    if before is not None:
        statement = statement.where(RunEvent.cursor < before)
    return list(reversed(session.scalars(statement).all())), total
