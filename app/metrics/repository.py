"""All SQL that reads metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from app.metrics import sketch
from app.metrics.points import Points, join, unpack
from app.models import MetricChunk, MetricName, RunMetric
from core.events import NonFinite


class Newest(TypedDict):
    """A run's newest value of a metric, and the extremes of its finite ones, as lists give it.

    `last` is None where it is not finite; `non_finite` then says which of the three it is.
    """

    last: float | None
    non_finite: NonFinite | None
    min: float | None
    max: float | None


def names(session: Session, attempt_id: int) -> list[str]:
    """Metrics that an attempt reported."""
    reported = exists().where(
        MetricChunk.attempt_id == attempt_id,
        MetricChunk.name_id == MetricName.id,
        MetricChunk.number == 0,
    )
    return sorted(session.scalars(select(MetricName.name).where(reported)))


def series(
    session: Session,
    attempt_id: int,
    wanted: Sequence[str],
    from_step: int | None = None,
    to_step: int | None = None,
) -> Iterator[tuple[str, Points]]:
    """Each metric's points, one metric at a time; both steps are included."""
    known = names(session, attempt_id)
    statement = select(MetricName.name, MetricName.id).where(MetricName.name.in_(known))
    ids = dict(session.execute(statement).all())
    for name in known:
        if not wanted or name in wanted:
            points = _read(session, attempt_id, ids[name], from_step, to_step)
            if len(points.steps):
                yield name, points


def _read(
    session: Session, attempt_id: int, name_id: int, from_step: int | None, to_step: int | None
) -> Points:
    statement = (
        select(MetricChunk.points, MetricChunk.first_step, MetricChunk.last_step, MetricChunk.data)
        .where(MetricChunk.attempt_id == attempt_id, MetricChunk.name_id == name_id)
        .order_by(MetricChunk.number)
        .execution_options(unisd_binary=True)
    )
    if from_step is not None:
        statement = statement.where(MetricChunk.last_step >= from_step)
    if to_step is not None:
        statement = statement.where(MetricChunk.first_step <= to_step)
    points = join(
        unpack(data, count, first, last) for count, first, last, data in session.execute(statement)
    )
    start = 0 if from_step is None else int(points.steps.searchsorted(from_step))
    end = None if to_step is None else int(points.steps.searchsorted(to_step, "right"))
    return points.cut(start, end)


def newest(
    session: Session, run_ids: Sequence[str], wanted: Mapping[str, int]
) -> dict[str, dict[str, Newest]]:
    """Newest values of the metrics (numbers by name) that runs reported, by run and metric."""
    row = RunMetric.__table__.c  # thousands of rows: those of the table are cheaper than the ORM's
    statement = select(
        row.run_id, row.name_id, row.last, row.last_name, row.minimum, row.maximum
    ).where(row.run_id.in_(run_ids), row.name_id.in_(wanted.values()))
    names_by_id = {number: name for name, number in wanted.items()}
    found: dict[str, dict[str, Newest]] = {run_id: {} for run_id in run_ids}
    for run_id, number, last, last_name, low, high in session.connection().execute(statement).all():
        found[run_id][names_by_id[number]] = {
            "last": last,
            "non_finite": last_name,
            "min": low,
            "max": high,
        }
    return found


def sketches(
    session: Session, run_ids: Sequence[str], number: int | None
) -> dict[str, list[float | None]]:
    """The course of a metric in a few values, by run, each of its latest attempt."""
    statement = select(RunMetric.run_id, RunMetric.sketch, RunMetric.points, RunMetric.last).where(
        RunMetric.run_id.in_(run_ids), RunMetric.name_id == number
    )
    return {
        run_id: sketch.drawn(data, points, last)
        for run_id, data, points, last in session.execute(statement)
    }


def name_ids(session: Session, wanted: Sequence[str]) -> dict[str, int]:
    """The numbers of metrics; those that nothing ever reported are left out."""
    statement = select(MetricName.name, MetricName.id).where(MetricName.name.in_(wanted))
    return dict(session.execute(statement).all())


def all_names(session: Session, text: str, limit: int) -> list[str]:
    """Metrics that any run reported, those with `text` in their path."""
    statement = select(MetricName.name).order_by(MetricName.name).limit(limit)
    if text:
        statement = statement.where(MetricName.name.icontains(text, autoescape=True))
    return list(session.scalars(statement))
