"""What lists of recorded rollouts are filtered and sorted by."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from app.models import Attempt, Trajectory
from core.errors import Problem, StudioError

Condition = ColumnElement[bool]

NUMBERS: Final[dict[str, InstrumentedAttribute[Any]]] = {
    "step": Trajectory.step,
    "tokens": Trajectory.tokens,
    "divergence": Trajectory.divergence,
    "disagreement": Trajectory.disagreement,
    "disagreement_max": Trajectory.disagreement_max,
    "weight": Trajectory.weight,
    "clipped_share": Trajectory.clipped_share,
    "contrastive_share": Trajectory.contrastive_share,
    "feature_distance": Trajectory.feature_distance,
    "grade": Trajectory.grade,
    "loss": Trajectory.loss,
}
FLAGS: Final[dict[str, InstrumentedAttribute[bool]]] = {
    "truncated": Trajectory.truncated,
    "pinned": Trajectory.pinned,
}
SORTED: Final[dict[str, InstrumentedAttribute[Any]]] = {
    **NUMBERS,
    **FLAGS,
    "record_id": Trajectory.record_id,
}
_FILTER: Final = re.compile(r"([a-z_]+)(!=|<=|>=|=|~|<|>)(.*)", re.DOTALL)
_COMPARISONS: Final[dict[str, Callable[[Any, Any], Condition]]] = {
    "=": eq,
    "!=": ne,
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_TRUTHS: Final = {"true": True, "false": False}


@dataclass(frozen=True)
class TrajectoryFilter:
    """Which recorded rollouts a list shows.

    Attributes:
        more: filters as people write them (`condition`).
        up_to: none that came after this one.
    """

    attempt: int | None = None
    pinned: bool | None = None
    text: str | None = None
    record_id: str | None = None
    more: Sequence[str] = ()
    up_to: int | None = None

    def conditions(self, run_id: str) -> list[Condition]:
        """As SQL.

        Raises:
            StudioError: `filter_invalid`.
        """
        found: list[Condition] = [Trajectory.run_id == run_id, *map(condition, self.more)]
        if self.attempt is not None:
            attempt = select(Attempt.id).where(
                Attempt.run_id == run_id, Attempt.number == self.attempt
            )
            found.append(Trajectory.attempt_id == attempt.scalar_subquery())
        if self.pinned is not None:
            found.append(Trajectory.pinned.is_(self.pinned))
        if self.record_id is not None:
            found.append(Trajectory.record_id == self.record_id)
        if self.up_to is not None:
            found.append(Trajectory.id <= self.up_to)
        if self.text:
            found.append(
                or_(
                    Trajectory.prompt.icontains(self.text, autoescape=True),
                    Trajectory.completion.icontains(self.text, autoescape=True),
                    Trajectory.record_id == self.text,
                )
            )
        return found

    def later(self) -> TrajectoryFilter:
        """The same, however late."""
        return replace(self, up_to=None)


def condition(written: str) -> Condition:
    """What a filter asks for: a field, a comparison and a value.

    Raises:
        StudioError: `filter_invalid`: it cannot be read; says how to write it.
    """
    parts = _FILTER.fullmatch(written)
    if parts is None:
        raise _refused(written, "Write a field, a comparison and a value: `disagreement>=0.5`.")
    name, comparison, value = parts.groups()
    if name in NUMBERS:
        return _number(written, NUMBERS[name], comparison, value)
    if name in FLAGS:
        if comparison != "=" or value not in _TRUTHS:
            raise _refused(written, f"Write `{name}=true` or `{name}=false`.")
        return FLAGS[name].is_(_TRUTHS[value])
    if name == "record_id":
        return _record(written, comparison, value)
    known = ", ".join(SORTED)
    raise _refused(written, f"There is no field {name}; choose one of {known}.")


def _number(
    written: str, column: InstrumentedAttribute[Any], comparison: str, value: str
) -> Condition:
    if value == "" and comparison == "=":
        return column.is_(None)
    if value == "" and comparison == "!=":
        return column.is_not(None)
    try:
        bound = float(value)
    except ValueError:
        bound = math.nan
    if comparison not in _COMPARISONS or not math.isfinite(bound):
        raise _refused(
            written, "Compare with a number: `=`, `!=`, `<`, `<=`, `>`, `>=`; `=` alone: unknown."
        )
    return _COMPARISONS[comparison](column, literal(bound, Float))


def _record(written: str, comparison: str, value: str) -> Condition:
    match comparison:
        case "=":
            return Trajectory.record_id == value
        case "!=":
            return Trajectory.record_id != value
        case "~":
            return Trajectory.record_id.icontains(value, autoescape=True)
    raise _refused(written, "Compare with `=`, `!=` or `~` (contains).")


def _refused(written: str, remedy: str) -> StudioError:
    message = f"The filter “{written}” cannot be used."
    problem = Problem(code="filter_invalid", message=message, remedy=remedy, field="filter")
    return StudioError(problem)


def order(sort: str) -> tuple[InstrumentedAttribute[Any], bool]:
    """The column to sort by, and whether downwards."""
    return SORTED[sort.removeprefix("-")], sort.startswith("-")


def ordering(sort: str) -> tuple[ColumnElement[Any], ...]:
    """Order of a list: what is not known comes last either way, what is equal as it came."""
    column, down = order(sort)
    directed = column.desc() if down else column.asc()
    # Only what can be null, so that the others' order can be an index's.
    first = directed.nulls_last() if column.expression.nullable else directed
    return first, Trajectory.id.asc()
