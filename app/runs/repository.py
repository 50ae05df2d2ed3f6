"""All SQL that reads runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from app.metrics import repository as metrics
from app.models import Artifact, Attempt, Run, RunEvent, RunMetric, Worker
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


BY_METRIC = "metric:"


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
    """A page of runs and how many there are in all.

    `sort` is one of `SORTS`, or `metric:` and a metric's path: by its newest value, runs without a
    finite one last. `-` before it sorts downwards.
    """
    conditions = _conditions(wanted)
    total = session.execute(select(func.count()).select_from(Run).where(*conditions)).scalar_one()
    # What is sorted are identifiers alone: rows with whole configurations are heavy to move.
    way, metric, name = sort.partition(BY_METRIC)
    if metric:
        ids = _by_metric(session, conditions, name, down=bool(way), limit=limit, offset=offset)
    else:
        page = select(Run.id).where(*conditions).order_by(SORTS[sort], Run.id)
        ids = list(session.scalars(page.limit(limit).offset(offset)))
    runs = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}
    return [runs[run_id] for run_id in ids], total


def _by_metric(
    session: Session,
    conditions: list[ColumnElement[bool]],
    name: str,
    *,
    down: bool,
    limit: int,
    offset: int,
) -> list[str]:
    """A page of runs in the order of an index on the metric's values, then those without one."""
    mine = (
        RunMetric.name_id == metrics.name_id(session, name),
        RunMetric.last.is_not(None),
        RunMetric.run_id == Run.id,
    )
    order = [RunMetric.last, RunMetric.run_id]
    valued = select(RunMetric.run_id).join(Run, Run.id == RunMetric.run_id)
    valued = valued.where(*mine, *conditions)
    page = valued.order_by(*(column.desc() if down else column for column in order))
    ids = list(session.scalars(page.limit(limit).offset(offset)))
    if len(ids) == limit:
        return ids
    before = session.scalar(select(func.count()).select_from(valued.subquery())) or 0
    others = select(Run.id).where(~exists().where(*mine), *conditions).order_by(Run.id)
    others = others.limit(limit - len(ids)).offset(max(0, offset - before))
    return [*ids, *session.scalars(others)]


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Run.deleting.is_(False)]
    if wanted.project_id:
        conditions.append(Run.project_id == wanted.project_id)
    if wanted.experiment_id:
        conditions.append(Run.experiment_id == wanted.experiment_id)
    if wanted.kind:
        conditions.append(Run.kind == wanted.kind)
    else:  # exports are shown beside the run that they are made of
        conditions.append(Run.kind != RunKind.EXPORT)
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
