"""All SQL that reads studies."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import Attempt, MetricChunk, MetricName, Run, RunMetric, Study
from app.runs import lifecycle
from app.studies.report import Course
from core.states import RunStatus


def list_studies(
    session: Session, *, project_id: str | None, limit: int, offset: int
) -> tuple[list[Study], int]:
    """A page of studies, newest first, and how many there are."""
    wanted = [] if project_id is None else [Study.project_id == project_id]
    statement = select(Study).where(*wanted).order_by(Study.created_at.desc(), Study.id)
    total = session.execute(select(func.count(Study.id)).where(*wanted)).scalar_one()
    return list(session.scalars(statement.limit(limit).offset(offset))), total


def runs_of(session: Session, study_id: str) -> list[Run]:
    """A study's runs in the plan's order."""
    return list(
        session.scalars(select(Run).where(Run.study_id == study_id).order_by(Run.study_place))
    )


def count_states(session: Session, study_ids: Sequence[str]) -> dict[str, dict[RunStatus, int]]:
    """Runs by state, for each study."""
    counts: dict[str, dict[RunStatus, int]] = {study_id: {} for study_id in study_ids}
    statement = (
        select(Run.study_id, Run.status, func.count(Run.id))
        .where(Run.study_id.in_(study_ids))
        .group_by(Run.study_id, Run.status)
    )
    for study_id, status, count in session.execute(statement):
        if study_id is not None:
            counts[study_id][status] = count
    return counts


class _Ends(NamedTuple):
    """Where some successive points of a metric begin and end."""

    attempt: int
    first_step: int
    last_step: int
    first: float | None
    last: float | None


def courses(
    session: Session, study_id: str, patterns: Sequence[str]
) -> dict[str, dict[str, Course]]:
    """First and last value by step of the metrics that match, for each run.

    Of several attempts at a step the latest counts.
    """
    names = _matching_names(session, study_id, patterns)
    statement = (
        select(
            Attempt.run_id,
            MetricName.name,
            Attempt.number,
            MetricChunk.first_step,
            MetricChunk.last_step,
            MetricChunk.first,
            MetricChunk.last,
        )
        .join(Attempt, Attempt.id == MetricChunk.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(Run.study_id == study_id, MetricName.name.in_(names))
    )
    chunks: dict[tuple[str, str], list[_Ends]] = {}
    for run_id, name, number, first_step, last_step, first, last in session.execute(statement):
        ends = _Ends(number, first_step, last_step, first, last)
        chunks.setdefault((run_id, name), []).append(ends)
    found: dict[str, dict[str, Course]] = {}
    for (run_id, name), ends_of in chunks.items():
        earliest = min(ends_of, key=lambda ends: (ends.first_step, -ends.attempt))
        latest = max(ends_of, key=lambda ends: (ends.last_step, ends.attempt))
        found.setdefault(run_id, {})[name] = Course(earliest.first, latest.last)
    return found


def _matching_names(session: Session, study_id: str, patterns: Sequence[str]) -> list[str]:
    statement = (
        select(MetricName.name)
        .join(RunMetric, RunMetric.name_id == MetricName.id)
        .join(Run, Run.id == RunMetric.run_id)
        .where(Run.study_id == study_id)
        .distinct()
    )
    return [
        name
        for name in session.scalars(statement)
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


def tokens(session: Session, study_id: str) -> dict[str, float]:
    """Tokens that each run put through the network, steps that were lost included."""
    statement = (
        select(Attempt.run_id, func.sum(MetricChunk.total))
        .join(Attempt, Attempt.id == MetricChunk.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(Run.study_id == study_id, MetricName.name.startswith("tokens/"))
        .group_by(Attempt.run_id)
    )
    return dict(session.execute(statement).all())


def seconds(session: Session, study_id: str) -> dict[str, float]:
    """Wall-clock time of each run's attempts; one that still runs counts until now."""
    statement = (
        select(Attempt.run_id, Attempt.started_at, Attempt.ended_at)
        .join(Run, Run.id == Attempt.run_id)
        .where(Run.study_id == study_id)
    )
    now = lifecycle.now(session)
    spent: dict[str, float] = {}
    for run_id, started, ended in session.execute(statement):
        lasted = ((ended or now) - started).total_seconds()
        spent[run_id] = spent.get(run_id, 0.0) + max(0.0, lasted)
    return spent
