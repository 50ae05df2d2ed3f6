"""Filters as people write them: `model~qwen`, `metric:train/loss<0.5`, `created_at>=7d`.

A filter is a field (`app.runs.fields`), a comparison and a value. Several must all hold; but of
several `=` about one field one must.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from operator import ge, gt, le, lt
from typing import Any, Final

from sqlalchemy import ColumnElement, Float, exists, false, func, literal, not_, or_

from app.models import Run, RunTag
from app.runs.fields import Condition, Field, Kind, field_of
from core.errors import Problem, StudioError

_FILTER: Final = re.compile(r"((?:metric|param):.+?|[a-z_]+)(!=|!~|<=|>=|=|~|<|>)(.*)", re.DOTALL)
_SPAN: Final = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_ORDERED: Final[dict[str, Callable[[Any, Any], ColumnElement[bool]]]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}


def conditions(filters: Sequence[str]) -> list[Condition]:
    """What all these filters ask for.

    Raises:
        StudioError: one cannot be read; says which and how to write it.
    """
    found: list[Condition] = []
    alternatives: dict[str, list[Condition]] = {}
    for written in filters:
        parts = _FILTER.fullmatch(written)
        if parts is None:
            raise _refused(written, "Write a field, a comparison and a value: `seed=42`.")
        name, comparison, value = parts.groups()
        one = _condition(written, field_of(name, "filter"), comparison, value)
        if comparison == "=":
            alternatives.setdefault(name, []).append(one)
        else:
            found.append(one)
    return [*found, *(or_(*some) for some in alternatives.values())]


def _condition(written: str, field: Field, comparison: str, value: str) -> Condition:
    # What is not so need not be known: runs without a model have another model, too.
    if comparison in {"!=", "!~"}:
        positive = _condition(written, field, comparison[1], value)
        return not_(func.coalesce(positive, false()))
    if value == "" and comparison == "=":
        return _is_unknown(field)
    if comparison == "~":
        return _contains(written, field, value)
    if comparison == "=":
        return _equals(written, field, value)
    bound = _bound(written, field, value)
    return field.holds(lambda found: _ORDERED[comparison](found, bound))


def _is_unknown(field: Field) -> Condition:
    if field.kind is Kind.TAG:
        return ~exists().where(RunTag.run_id == Run.id)
    if field.kind is Kind.MECHANISM:
        return Run.mechanisms.is_(None) | (Run.mechanisms == "  ")
    return (field.value if field.key is None else field.key).is_(None)


def _contains(written: str, field: Field, value: str) -> Condition:
    if field.kind is Kind.TAG:
        return _tagged(RunTag.tag.icontains(value, autoescape=True))
    if field.kind in {Kind.TEXT, Kind.NAMED}:
        return field.value.icontains(value, autoescape=True)
    raise _refused(written, "Only texts can be searched; use `=`, `!=`, `<` or `>`.")


def _equals(written: str, field: Field, value: str) -> Condition:
    if field.kind is Kind.TIME:
        raise _refused(written, "Compare times with `<`, `<=`, `>` or `>=`.")
    if field.kind is Kind.NAMED:
        keys = [] if field.key is None else [field.key == value]
        return or_(field.value == value, *keys)
    if field.kind is Kind.TAG:
        return _tagged(RunTag.tag == value)
    if field.kind is Kind.MECHANISM:
        return Run.mechanisms.contains(f" {_choice(written, field, value)} ")
    if field.kind is Kind.NUMBER:
        number = literal(_number(written, value), Float)
        return field.holds(lambda found: found == number)
    return _is(field, _value(written, field, value))


def _is(field: Field, value: str | bool) -> Condition:  # noqa: FBT001 - what is compared with
    return field.value.is_(value) if isinstance(value, bool) else field.value == value


def _value(written: str, field: Field, value: str) -> str | bool:
    if field.kind is Kind.CHOICE:
        return _choice(written, field, value)
    return _flag(written, value) if field.kind is Kind.FLAG else value


def _tagged(condition: Condition) -> Condition:
    return exists().where(RunTag.run_id == Run.id, condition)


def _bound(written: str, field: Field, value: str) -> Any:  # noqa: ANN401 - of the field's type
    if field.kind is Kind.NUMBER:
        return literal(_number(written, value), Float)
    if field.kind is Kind.TIME:
        return _time(written, value)
    raise _refused(written, "Only numbers and times can be compared by size; use `=` or `~`.")


def _choice(written: str, field: Field, value: str) -> str:
    if value not in field.choices:
        raise _refused(written, f"There are {', '.join(field.choices)}.")
    return value


def _flag(written: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise _refused(written, "It is `true` or `false`.")
    return value == "true"


def _number(written: str, value: str) -> float:
    span = _SPAN.fullmatch(value)
    if span:
        return float(span[1]) * _SECONDS[span[2]]
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refused(written, "Write a number, such as 0.5 or 2e-5, or a time, such as 90s.")
    return number


def _time(written: str, value: str) -> datetime:
    """A date, a time, or how long ago."""
    span = _SPAN.fullmatch(value)
    try:
        if span:
            ago = timedelta(seconds=float(span[1]) * _SECONDS[span[2]])
            return datetime.now(UTC) - ago
        time = datetime.fromisoformat(value)
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        remedy = "Write a date, such as 2026-03-31, or how long ago, such as 12h or 7d."
        raise _refused(written, remedy) from None


def _refused(written: str, remedy: str) -> StudioError:
    message = f"The filter “{written}” cannot be used."
    problem = Problem(code="filter_invalid", message=message, remedy=remedy, field="filter")
    return StudioError(problem)
