"""Writes metrics: points into chunks, and what lists show of them into a row by run and metric.

Everything happens in the caller's transaction, under the run's row lock, so what is read here
cannot change before it is written back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Row, Select, and_, bindparam, case, delete, func, insert, inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.metrics import sketch
from app.metrics.points import Floats, Ints, Points, in_order, join, pack, unpack
from app.models import Attempt, Base, MetricChunk, MetricName, RunMetric
from core.events import MetricsEvent, name_of

FULL = 256
"""Points from which on a chunk does not grow: every batch writes the growing one anew."""
LARGEST = 4096
"""Points of a chunk at most; only batches that bring many make chunks beyond `FULL`."""


class _Place(NamedTuple):
    """Whose points they are."""

    run_id: str
    attempt_id: int
    name_id: int


def append(session: Session, run_id: str, attempt_id: int, events: Iterable[MetricsEvent]) -> None:
    """Store what events report. A metric reported twice for a step keeps its latest value."""
    reported = _by_name(events)
    if not reported:
        return
    ids = _name_ids(session, list(reported))
    newest = _newest_chunks(session, attempt_id, list(ids.values()))
    known = _run_rows(session, run_id, list(ids.values()))
    chunks: list[dict[str, Any]] = []
    rows: list[dict[str, Any]] = []
    for name, points in reported.items():
        place = _Place(run_id, attempt_id, ids[name])
        chunk, row = newest.get(place.name_id), known.get(place.name_id)
        if chunk is None or points.steps[0] > chunk.last_step:
            chunks += _extended(place, chunk, points)
            rows.append(_appended(place, row, points))
        else:
            _rewrite(session, place, points)
            rows.append(_recounted(session, place, row))
    _upsert(session, MetricChunk, chunks)
    _upsert(session, RunMetric, rows)


def _by_name(events: Iterable[MetricsEvent]) -> dict[str, Points]:
    """Columns of what events report; those that report the same metrics are turned at once."""
    alike: dict[tuple[str, ...], list[tuple[int, MetricsEvent]]] = {}
    for place, event in enumerate(events):
        alike.setdefault(tuple(event.values), []).append((place, event))
    parts: dict[str, list[tuple[Ints, Points]]] = {}
    for names, group in alike.items():
        places = np.array([place for place, _ in group])
        steps = np.array([event.step for _, event in group], dtype=np.int64)
        times = np.array([event.time for _, event in group], dtype=np.float64)
        # NumPy reads `NaN` and its like from their names, and null as not a number.
        rows = [list(event.values.values()) for _, event in group]
        columns = np.array(rows, dtype=np.float64).T
        for name, values in zip(names, columns, strict=True):
            parts.setdefault(name, []).append((places, Points(steps, values, times)))
    return {name: _in_order(found) for name, found in parts.items()}


def _in_order(parts: Sequence[tuple[Ints, Points]]) -> Points:
    """Points of several groups of events, in the events' order and then in that of steps."""
    if len(parts) == 1:
        return in_order(parts[0][1])
    order = np.argsort(np.concatenate([places for places, _ in parts]))
    columns = zip(*(points for _, points in parts), strict=True)
    return in_order(Points(*(np.concatenate(column)[order] for column in columns)))


def _name_ids(session: Session, names: Sequence[str]) -> dict[str, int]:
    """Numbers of metrics; new ones get theirs."""
    given = {"names": names}
    known: dict[str, int] = dict(session.execute(_NAMES, given).all())
    # In one order for all who add several at once, lest they wait for each other.
    fresh = sorted(set(names) - known.keys())
    if fresh:
        statement = _insert(_dialect(session), MetricName).on_conflict_do_nothing()
        session.execute(statement, [{"name": name} for name in fresh])
        known = dict(session.execute(_NAMES, given).all())
    return known


def _newest_statement() -> Select[Any]:
    other = aliased(MetricChunk)
    newest = (
        select(func.max(other.number))
        .where(other.attempt_id == bindparam("attempt_id"), other.name_id == MetricName.id)
        .scalar_subquery()
    )
    return (
        select(
            MetricChunk.name_id,
            MetricChunk.number,
            MetricChunk.points,
            MetricChunk.first_step,
            MetricChunk.last_step,
            case((MetricChunk.points < bindparam("full"), MetricChunk.data)).label("data"),
        )
        .join(
            MetricName,
            and_(MetricChunk.name_id == MetricName.id, MetricChunk.number == newest),
        )
        .where(
            MetricChunk.attempt_id == bindparam("attempt_id"),
            MetricName.id.in_(bindparam("name_ids", expanding=True)),
        )
    )


# Built once: to put a statement together costs more than to carry it out.
_NEWEST = _newest_statement()
_NAMES = select(MetricName.name, MetricName.id).where(
    MetricName.name.in_(bindparam("names", expanding=True))
)
_RUN_ROWS = select(*RunMetric.__table__.columns).where(
    RunMetric.run_id == bindparam("run_id"),
    RunMetric.name_id.in_(bindparam("name_ids", expanding=True)),
)


def _newest_chunks(
    session: Session, attempt_id: int, name_ids: Sequence[int]
) -> dict[int, Row[Any]]:
    """The last chunk of each metric; `data` only of those that still grow."""
    given = {"attempt_id": attempt_id, "name_ids": name_ids, "full": FULL}
    return {row.name_id: row for row in session.execute(_NEWEST, given)}


def _run_rows(session: Session, run_id: str, name_ids: Sequence[int]) -> dict[int, Row[Any]]:
    given = {"run_id": run_id, "name_ids": name_ids}
    return {row.name_id: row for row in session.execute(_RUN_ROWS, given)}


def _extended(place: _Place, chunk: Row[Any] | None, points: Points) -> list[dict[str, Any]]:
    """Chunks that hold points which come after all that is there."""
    if chunk is None:
        return _cut(place, 0, points)
    if chunk.data is None:
        return _cut(place, chunk.number + 1, points)
    return _cut(place, chunk.number, join([_points(chunk), points]))


def _cut(place: _Place, number: int, points: Points) -> list[dict[str, Any]]:
    starts = range(0, len(points.steps), LARGEST)
    return [
        _chunk(place, number + index, points.cut(start, start + LARGEST))
        for index, start in enumerate(starts)
    ]


def _chunk(place: _Place, number: int, points: Points) -> dict[str, Any]:
    finite = _finite(points.values)
    with np.errstate(over="ignore"):
        total = float(finite.sum())
    return {
        "attempt_id": place.attempt_id,
        "name_id": place.name_id,
        "number": number,
        "points": len(points.steps),
        "first_step": int(points.steps[0]),
        "last_step": int(points.steps[-1]),
        "first": _or_none(points.values[0]),
        "last": _or_none(points.values[-1]),
        "minimum": float(finite.min()) if finite.size else None,
        "maximum": float(finite.max()) if finite.size else None,
        "total": total,
        "data": pack(points),
    }


def _appended(place: _Place, row: Row[Any] | None, points: Points) -> dict[str, Any]:
    """The run's row after points that come after all that is there."""
    finite = _finite(points.values)
    lows = [] if row is None or row.minimum is None else [row.minimum]
    highs = [] if row is None or row.maximum is None else [row.maximum]
    if finite.size:
        lows.append(float(finite.min()))
        highs.append(float(finite.max()))
    extremes = {"minimum": min(lows, default=None), "maximum": max(highs, default=None)}
    if row is not None and row.attempt_id > place.attempt_id:
        # What an earlier attempt left is read after a later one has begun.
        return {**row._mapping, **extremes}  # noqa: SLF001 - public, in spite of its name
    if row is not None and row.attempt_id == place.attempt_id:
        return _run_row(place, row.points, row.sketch, points) | extremes
    return _run_row(place, 0, b"", points) | extremes


def _run_row(place: _Place, before: int, drawn: bytes, points: Points) -> dict[str, Any]:
    last = float(points.values[-1])
    return {
        "run_id": place.run_id,
        "name_id": place.name_id,
        "attempt_id": place.attempt_id,
        "points": before + len(points.steps),
        "last_step": int(points.steps[-1]),
        "last": _or_none(last),
        "last_name": None if np.isfinite(last) else name_of(last),
        "sketch": sketch.extended(drawn, before, points.values),
    }


def _rewrite(session: Session, place: _Place, points: Points) -> None:
    """Put points among, or in the place of, points that are there."""
    mine = (
        MetricChunk.attempt_id == place.attempt_id,
        MetricChunk.name_id == place.name_id,
        MetricChunk.last_step >= int(points.steps[0]),
    )
    statement = select(*MetricChunk.__table__.columns).where(*mine).order_by(MetricChunk.number)
    touched = session.execute(statement).all()
    session.execute(delete(MetricChunk).where(*mine))
    merged = join([*map(_points, touched), points])
    session.execute(insert(MetricChunk), _cut(place, touched[0].number, merged))


def _recounted(session: Session, place: _Place, row: Row[Any] | None) -> dict[str, Any]:
    """The run's row after points that are not simply the next ones."""
    extremes = session.execute(
        select(func.min(MetricChunk.minimum), func.max(MetricChunk.maximum))
        .join(Attempt, Attempt.id == MetricChunk.attempt_id)
        .where(Attempt.run_id == place.run_id, MetricChunk.name_id == place.name_id)
    ).one()
    counted = {"minimum": extremes[0], "maximum": extremes[1]}
    if row is not None and row.attempt_id > place.attempt_id:
        return {**row._mapping, **counted}  # noqa: SLF001 - as above
    statement = (
        select(*MetricChunk.__table__.columns)
        .where(MetricChunk.attempt_id == place.attempt_id, MetricChunk.name_id == place.name_id)
        .order_by(MetricChunk.number)
    )
    whole = join([_points(chunk) for chunk in session.execute(statement)])
    return _run_row(place, 0, b"", whole) | counted


def _points(chunk: Row[Any]) -> Points:
    return unpack(chunk.data, chunk.points, chunk.first_step, chunk.last_step)


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


def _insert(dialect: str, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@lru_cache
def _upsert_statement(dialect: str, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
    statement = _insert(dialect, table)
    keys = [column.name for column in inspect(table).primary_key]
    changed = {
        column.name: statement.excluded[column.name]
        for column in inspect(table).columns
        if column.name not in keys
    }
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def _upsert(session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(_upsert_statement(_dialect(session), table), rows)
