"""All SQL that reads studies."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.models import Attempt, Metric, Run, Study
from app.models.base import utc_now
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


def courses(
    session: Session, study_id: str, patterns: Sequence[str]
) -> dict[str, dict[str, Course]]:
    """First and last value by step of the metrics that match, for each run.

    Of several attempts at a step the latest counts.
    """
    names = _matching_names(session, study_id, patterns)
    within = (Attempt.run_id, Metric.name)
    numbered = (
        select(
            Attempt.run_id,
            Metric.name,
            Metric.value,
            func.row_number()
            .over(order_by=(Metric.step, Attempt.number.desc()), partition_by=within)
            .label("from_first"),
            func.row_number()
            .over(order_by=(Metric.step.desc(), Attempt.number.desc()), partition_by=within)
            .label("from_last"),
        )
        .join(Attempt, Attempt.id == Metric.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
        .where(Run.study_id == study_id, Metric.name.in_(names))
        .subquery()
    )
    ends = select(numbered).where(or_(numbered.c.from_first == 1, numbered.c.from_last == 1))
    found: dict[str, dict[str, Course]] = {}
    for run_id, name, value, from_first, from_last in session.execute(ends):
        course = found.setdefault(run_id, {}).get(name, Course(None, None))
        first = value if from_first == 1 else course.first
        last = value if from_last == 1 else course.last
        found[run_id][name] = Course(first, last)
    return found


def _matching_names(session: Session, study_id: str, patterns: Sequence[str]) -> list[str]:
    statement = (
        select(Metric.name)
        .join(Attempt, Attempt.id == Metric.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
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
        select(Attempt.run_id, func.sum(Metric.value))
        .join(Attempt, Attempt.id == Metric.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
        .where(Run.study_id == study_id, Metric.name.startswith("tokens/"))
        .group_by(Attempt.run_id)
    )
    return {run_id: total for run_id, total in session.execute(statement) if total is not None}


def seconds(session: Session, study_id: str) -> dict[str, float]:
    """Wall-clock time of each run's attempts; one that still runs counts until now."""
    statement = (
        select(Attempt.run_id, Attempt.started_at, Attempt.ended_at)
        .join(Run, Run.id == Attempt.run_id)
        .where(Run.study_id == study_id)
    )
    spent: dict[str, float] = {}
    for run_id, started, ended in session.execute(statement):
        lasted = ((ended or utc_now()) - started).total_seconds()
        spent[run_id] = spent.get(run_id, 0.0) + max(0.0, lasted)
    return spent
