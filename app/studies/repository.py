"""All SQL that reads studies."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from app.models import Attempt, MetricChunk, MetricName, Run, RunMetric, Study
from app.runs import lifecycle
from app.studies.report import Course
from core.states import LEASED, RunStatus


def list_studies(
    session: Session, *, project_id: str | None, text: str | None, limit: int, offset: int
) -> tuple[list[Study], int]:
    """A page of studies, newest first, and how many there are."""
    wanted = [] if project_id is None else [Study.project_id == project_id]
    if text:
        wanted.append(Study.name.icontains(text, autoescape=True))
    statement = select(Study).where(*wanted).order_by(Study.created_at.desc(), Study.id)
    total = session.execute(select(func.count(Study.id)).where(*wanted)).scalar_one()
    return list(session.scalars(statement.limit(limit).offset(offset))), total


def lock(session: Session, study_id: str) -> Study | None:
    """The study; nobody else changes which runs it has before this transaction ends."""
    return session.scalars(
        select(Study).where(Study.id == study_id).with_for_update()
    ).one_or_none()


def runs_of(session: Session, study_id: str) -> list[Run]:
    """A study's runs in the plan's order."""
    return list(
        session.scalars(
            select(Run)
            .where(Run.study_id == study_id, Run.deleting.is_(False))
            .order_by(Run.study_place)
        )
    )


class Standing(NamedTuple):
    """How far a study is.

    Attributes:
        states: runs by state.
        under_way: what started runs have done, each at most 1, together.
    """

    states: dict[RunStatus, int]
    under_way: float


def standings(session: Session, study_ids: Sequence[str]) -> dict[str, Standing]:
    """How far each study is."""
    found = {study_id: Standing({}, 0.0) for study_id in study_ids}
    share = case((Run.total_steps > 0, Run.step * 1.0 / Run.total_steps), else_=0.0)
    statement = (
        select(Run.study_id, Run.status, func.count(Run.id), func.sum(share))
        .where(Run.study_id.in_(study_ids), Run.deleting.is_(False))
        .group_by(Run.study_id, Run.status)
    )
    for study_id, status, count, done in session.execute(statement):
        if study_id is not None:
            before = found[study_id]
            before.states[status] = count
            more = float(done) if status in LEASED else 0.0
            found[study_id] = before._replace(under_way=before.under_way + more)
    return found


class _Ends(NamedTuple):
    """Where some successive points of a metric begin and end."""

    attempt: int
    first_step: int
    last_step: int
    first: float | None
    last: float | None


def metric_names(session: Session, study_id: str) -> list[str]:
    """Metrics that a study's runs reported."""
    statement = (
        select(MetricName.name)
        .join(RunMetric, RunMetric.name_id == MetricName.id)
        .join(Run, Run.id == RunMetric.run_id)
        .where(Run.study_id == study_id, Run.deleting.is_(False))
        .distinct()
    )
    return sorted(session.scalars(statement))


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
    return [
        name
        for name in metric_names(session, study_id)
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    ]


class Spent(NamedTuple):
    """What a run took so far.

    Attributes:
        study_id: the study that it belongs to.
        seconds: wall-clock time of its attempts; one that still runs counts until now.
        devices: that it trains on at once.
    """

    study_id: str
    seconds: float
    devices: int


def spent(session: Session, study_ids: Sequence[str]) -> dict[str, Spent]:
    """What each run of some studies took; those that never started are absent."""
    devices = Run.config["training"]["devices"].as_integer()
    statement = (
        select(
            Run.id,
            Run.study_id,
            devices,
            Attempt.started_at,
            # An attempt is closed once all that it wrote is copied; its run may end before.
            func.coalesce(Attempt.ended_at, Run.finished_at),
        )
        .join(Attempt, Attempt.run_id == Run.id)
        .where(Run.study_id.in_(study_ids), Run.deleting.is_(False))
    )
    now = lifecycle.now(session)
    found: dict[str, Spent] = {}
    for run_id, study_id, count, started, ended in session.execute(statement):
        lasted = max(0.0, ((ended or now) - started).total_seconds())
        before = found.get(run_id, Spent(study_id, 0.0, count or 1))
        found[run_id] = before._replace(seconds=before.seconds + lasted)
    return found


def tokens(session: Session, study_ids: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Study and tokens that each run put through the network, steps that were lost included."""
    statement = (
        select(Attempt.run_id, Run.study_id, func.sum(MetricChunk.total))
        .join(Attempt, Attempt.id == MetricChunk.attempt_id)
        .join(Run, Run.id == Attempt.run_id)
        .join(MetricName, MetricName.id == MetricChunk.name_id)
        .where(
            Run.study_id.in_(study_ids),
            Run.deleting.is_(False),
            MetricName.name.startswith("tokens/"),
        )
        .group_by(Attempt.run_id, Run.study_id)
    )
    return {
        run_id: (study_id or "", total) for run_id, study_id, total in session.execute(statement)
    }
