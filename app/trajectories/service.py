"""Recorded rollouts: lists from SQL, per-token values from the attempts' Parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.models import Attempt, Trajectory
from app.settings import Settings
from app.trajectories.fields import NUMBERS, TrajectoryFilter, order, ordering
from app.trajectories.reading import find_record, loss_settings, token_values
from app.trajectories.schemas import (
    Bin,
    Distribution,
    FieldSummary,
    FollowedExample,
    Neighbours,
    Summaries,
    TrajectoryOverview,
    TrajectorySummary,
)

MOST_STEPS: Final = 5000
_QUANTILES: Final = (0, 10, 25, 50, 75, 90, 100)


class Page(NamedTuple):
    """A page of a list.

    Attributes:
        total: rollouts that match.
        newest: the run's latest rollout.
        newer: rollouts that match but for having come later than the filter wants.
    """

    items: list[TrajectorySummary]
    total: int
    newest: int | None
    newer: int


def list_trajectories(
    session: Session, run_id: str, wanted: TrajectoryFilter, *, sort: str, limit: int, offset: int
) -> Page:
    """A page of a run's recorded rollouts.

    Raises:
        StudioError: `filter_invalid`.
    """
    conditions = wanted.conditions(run_id)
    # The page's identifiers come from the index alone; only its rows are then read whole.
    ids = session.scalars(
        select(Trajectory.id)
        .where(*conditions)
        .order_by(*ordering(sort))
        .limit(limit)
        .offset(offset)
    ).all()
    newest = session.scalar(select(func.max(Trajectory.id)).where(Trajectory.run_id == run_id))
    return Page(
        _summaries(session, ids),
        _count(session, conditions),
        newest,
        _newer(session, run_id, wanted),
    )


def _summaries(session: Session, ids: Sequence[int]) -> list[TrajectorySummary]:
    rows = session.execute(
        select(Trajectory, Attempt.number)
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(Trajectory.id.in_(ids))
    )
    found = {trajectory.id: _summary(trajectory, number) for trajectory, number in rows}
    return [found[one] for one in ids]


def _summary(trajectory: Trajectory, attempt: int) -> TrajectorySummary:
    fields = {
        name: getattr(trajectory, name)
        for name in TrajectorySummary.model_fields
        if name != "attempt"
    }
    return TrajectorySummary(attempt=attempt, **fields)


def _count(session: Session, conditions: Sequence[ColumnElement[bool]]) -> int:
    return session.execute(select(func.count(Trajectory.id)).where(*conditions)).scalar_one()


def _newer(session: Session, run_id: str, wanted: TrajectoryFilter) -> int:
    if wanted.up_to is None:
        return 0
    conditions = wanted.later().conditions(run_id)
    return _count(session, [*conditions, Trajectory.id > wanted.up_to])


def get_trajectory(
    session: Session, settings: Settings, run_id: str, trajectory_id: int
) -> dict[str, Any]:
    """One recorded rollout with every token, as the fields of `TrajectoryDetail`.

    Raises:
        NotFoundError: there is no such rollout.
        ArtifactNotThereYetError: its worker has not copied the file into the store yet.
        UnavailableError: the file is not on this host, or the store does not answer.
    """
    row = session.execute(
        select(Trajectory, Attempt)
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(Trajectory.id == trajectory_id, Trajectory.run_id == run_id)
    ).one_or_none()
    if row is None:
        raise _no_rollout(trajectory_id)
    trajectory, attempt = row
    record = find_record(settings, attempt, trajectory)
    return {
        **_summary(trajectory, attempt.number).model_dump(),
        "source": record.get("source"),
        "task": record.get("task"),
        "extracted": record.get("extracted"),
        "settings": loss_settings(record),
        "student_prompt": record["student_prompt_text"],
        "teacher_prompt": record["teacher_prompt_text"],
        "auxiliary_prompts": record.get("auxiliary_prompt_texts") or [],
        "negative_prompt": record.get("negative_prompt_text"),
        "token_values": token_values(record),
    }


def _no_rollout(trajectory_id: int) -> NotFoundError:
    return NotFoundError(
        f"The run has no rollout {trajectory_id}.", "Choose one of the run's recorded rollouts."
    )


def neighbours(
    session: Session, run_id: str, trajectory_id: int, wanted: TrajectoryFilter, *, sort: str
) -> Neighbours:
    """The rollouts before and after one in a list.

    Raises:
        NotFoundError: there is no such rollout.
        StudioError: `filter_invalid`.
    """
    own = session.get(Trajectory, trajectory_id)
    if own is None or own.run_id != run_id:
        raise _no_rollout(trajectory_id)
    conditions = wanted.conditions(run_id)
    before = _count(session, [*conditions, _stands_before(own, sort)])
    around = session.scalars(
        select(Trajectory.id)
        .where(*conditions)
        .order_by(*ordering(sort))
        .limit(3)
        .offset(max(before - 1, 0))
    ).all()
    after = [one for one in around[min(before, 1) :] if one != trajectory_id]
    return Neighbours(
        position=before + 1,
        total=_count(session, conditions),
        previous=around[0] if before else None,
        next=after[0] if after else None,
    )


def _stands_before(own: Trajectory, sort: str) -> ColumnElement[bool]:
    """Whether a row stands before `own` in the order `ordering` gives."""
    column, down = order(sort)
    value = getattr(own, column.key)
    earlier = Trajectory.id < own.id
    if value is None:
        return or_(column.is_not(None), and_(column.is_(None), earlier))
    if isinstance(value, bool):
        beside = and_(column.is_(value), earlier)
        return beside if value is down else or_(column.is_not(value), beside)
    sooner = column > value if down else column < value
    return or_(sooner, and_(column == value, earlier))


def follow(
    session: Session, run_id: str, record_id: str, *, pinned: bool | None, attempt: int | None
) -> FollowedExample:
    """The rollouts of one record, first step first."""
    wanted = TrajectoryFilter(attempt=attempt, pinned=pinned, record_id=record_id)
    conditions = wanted.conditions(run_id)
    names = [name for name in Summaries.model_fields if name != "attempt"]
    rows = session.execute(
        select(Attempt.number.label("attempt"), *(getattr(Trajectory, name) for name in names))
        .join(Attempt, Attempt.id == Trajectory.attempt_id)
        .where(*conditions)
        .order_by(Trajectory.step, Trajectory.id)
        .limit(MOST_STEPS)
    )
    items = [Summaries.model_validate(row) for row in rows]
    total = len(items) if len(items) < MOST_STEPS else _count(session, conditions)
    return FollowedExample(record_id=record_id, items=items, total=total)


def overview(session: Session, run_id: str) -> TrajectoryOverview:
    """A run's recorded rollouts as a whole."""
    parts: list[ColumnElement[Any]] = []
    for column in NUMBERS.values():
        parts += [func.count(column), func.min(column), func.max(column), func.avg(column)]
    row = session.execute(
        select(
            func.count(Trajectory.id),
            func.max(Trajectory.id),
            func.count().filter(Trajectory.pinned.is_(True)),
            func.count().filter(Trajectory.truncated.is_(True)),
            *parts,
        ).where(Trajectory.run_id == run_id)
    ).one()
    total, newest, pinned, truncated, *numbers = row
    return TrajectoryOverview(
        total=total,
        newest=newest,
        pinned=pinned,
        truncated=truncated,
        fields=[
            FieldSummary(name=name, count=count, min=low, max=high, mean=mean)
            for name, (count, low, high, mean) in zip(
                NUMBERS, zip(*(iter(numbers),) * 4, strict=True), strict=True
            )
        ],
    )


def distribution(
    session: Session, run_id: str, field: str, wanted: TrajectoryFilter, *, bins: int
) -> Distribution:
    """How a number is spread over the rollouts that match.

    Raises:
        StudioError: `filter_invalid`.
    """
    column = NUMBERS[field]
    found = session.scalars(select(column).where(*wanted.conditions(run_id))).all()
    values = sorted(float(value) for value in found if value is not None)
    last = len(values) - 1
    return Distribution(
        field=field,
        count=len(values),
        unknown=len(found) - len(values),
        mean=fmean(values) if values else None,
        quantiles={f"p{one}": values[round(one / 100 * last)] for one in _QUANTILES if values},
        bins=_bins(values, bins),
    )


def _bins(ordered: Sequence[float], bins: int) -> list[Bin]:
    if not ordered:
        return []
    low, high = ordered[0], ordered[-1]
    if low == high:
        return [Bin(low=low, high=high, count=len(ordered))]
    counts = [0] * bins
    for value in ordered:
        counts[min(int((value - low) / (high - low) * bins), bins - 1)] += 1
    edges = [low + (high - low) * place / bins for place in range(bins)] + [high]
    return [
        Bin(low=begin, high=end, count=count)
        for (begin, end), count in zip(pairwise(edges), counts, strict=True)
    ]
