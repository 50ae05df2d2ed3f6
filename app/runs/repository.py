"""All SQL that reads runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from app.models import Artifact, Attempt, Metric, Run, RunEvent, Worker
from core.states import RunKind, RunStatus

SORTS: dict[str, ColumnElement[Any]] = {
    "created_at": Run.created_at.asc(),
    "-created_at": Run.created_at.desc(),
    "name": func.lower(Run.name).asc(),
    "-name": func.lower(Run.name).desc(),
    "status": Run.status.asc(),
    "-status": Run.status.desc(),
    "last_loss": Run.last_loss.asc().nulls_last(),
    "-last_loss": Run.last_loss.desc().nulls_last(),
}


@dataclass(frozen=True)
class RunFilter:
    """Which runs a list shows."""

    project_id: str | None = None
    experiment_id: str | None = None
    statuses: Sequence[RunStatus] = ()
    text: str | None = None
    kind: RunKind | None = None


def list_runs(
    session: Session, wanted: RunFilter, *, sort: str, limit: int, offset: int
) -> tuple[list[Run], int]:
    """A page of runs and how many there are in all."""
    conditions = _conditions(wanted)
    total = session.execute(select(func.count(Run.id)).where(*conditions)).scalar_one()
    page = select(Run).where(*conditions).order_by(SORTS[sort], Run.id).limit(limit).offset(offset)
    return list(session.scalars(page)), total


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Run.deleting.is_(False)]
    if wanted.project_id:
        conditions.append(Run.project_id == wanted.project_id)
    if wanted.experiment_id:
        conditions.append(Run.experiment_id == wanted.experiment_id)
    if wanted.kind:
        conditions.append(Run.kind == wanted.kind)
    if wanted.statuses:
        conditions.append(Run.status.in_(wanted.statuses))
    if wanted.text:
        conditions.append(Run.name.icontains(wanted.text, autoescape=True))
    return conditions


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


def latest_attempt_ids(session: Session, run_ids: Sequence[str]) -> dict[str, int]:
    """The latest attempt of each run."""
    rows = session.execute(
        select(Attempt.run_id, func.max(Attempt.id))
        .where(Attempt.run_id.in_(run_ids))
        .group_by(Attempt.run_id)
    )
    return dict(rows.all())


def artifacts(session: Session, run_id: str) -> list[Artifact]:
    """What a run wrote: the latest attempt first, each in its order."""
    return list(
        session.scalars(
            select(Artifact)
            .where(Artifact.run_id == run_id)
            .order_by(Artifact.attempt_id.desc(), Artifact.id)
        )
    )


def metric_names(session: Session, attempt_id: int) -> list[str]:
    """Metrics that an attempt reported."""
    statement = select(Metric.name).where(Metric.attempt_id == attempt_id).distinct()
    return sorted(session.scalars(statement))


def metric_points(
    session: Session, attempt_id: int, names: Sequence[str]
) -> dict[str, list[tuple[int, float | None, float]]]:
    """(step, value, time) of each metric in the order of steps."""
    statement = (
        select(Metric.name, Metric.step, Metric.value, Metric.time)
        .where(Metric.attempt_id == attempt_id)
        .order_by(Metric.name, Metric.step)
    )
    if names:
        statement = statement.where(Metric.name.in_(names))
    series: dict[str, list[tuple[int, float | None, float]]] = {}
    for name, step, value, time in session.execute(statement):
        series.setdefault(name, []).append((step, value, time))
    return series


def sparkline_points(
    session: Session, attempt_ids: Sequence[int], name: str, buckets: int
) -> dict[int, list[float | None]]:
    """Every n-th value of a metric for several attempts, thinned out by the database."""
    numbered = (
        select(
            Metric.attempt_id,
            Metric.step,
            Metric.value,
            (
                func.row_number().over(partition_by=Metric.attempt_id, order_by=Metric.step) - 1
            ).label("place"),
            func.count().over(partition_by=Metric.attempt_id).label("points"),
        )
        .where(Metric.attempt_id.in_(attempt_ids), Metric.name == name)
        .subquery()
    )
    stride = (numbered.c.points + buckets - 1) / buckets
    statement = (
        select(numbered.c.attempt_id, numbered.c.value)
        .where(numbered.c.place % func.floor(stride) == 0)
        .order_by(numbered.c.attempt_id, numbered.c.step)
    )
    lines: dict[int, list[float | None]] = {}
    for attempt_id, value in session.execute(statement):
        lines.setdefault(attempt_id, []).append(value)
    return lines


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
