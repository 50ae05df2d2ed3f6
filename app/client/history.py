"""All points of metrics, where one answer does not hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from app.runs.schemas import MetricSeries, Series

_MOST: Final = 10_000
"""Points of a metric that one answer holds."""

Ask = Callable[..., MetricSeries]


def every_point(
    ask: Ask, run: str, names: str | Sequence[str], attempt: int | None
) -> MetricSeries:
    """Every point of an attempt's metrics; `ask` is `Runs.metrics`."""
    first = ask(run, names, attempt=attempt, max_points=_MOST)
    if first.attempt is None:
        return first
    number = first.attempt

    def part(name: str, low: int, high: int) -> Series | None:
        found = ask(run, name, attempt=number, max_points=_MOST, steps=(low, high)).items
        return found[0] if found else None

    whole = [_joined(one.name, list(_parts(one, part))) for one in first.items]
    return first.model_copy(update={"items": whole})


def _parts(found: Series, part: Callable[[str, int, int], Series | None]) -> Iterator[Series]:
    """Halves of the range of steps, until each came whole. The ends of a series are always true."""
    low, high = (found.steps[0], found.steps[-1]) if found.steps else (0, 0)
    if found.points <= len(found.steps) or low == high:
        yield found
        return
    middle = (low + high) // 2
    for half in (part(found.name, low, middle), part(found.name, middle + 1, high)):
        if half is not None:
            yield from _parts(half, part)


def _joined(name: str, parts: Sequence[Series]) -> Series:
    return Series(
        name=name,
        steps=[step for part in parts for step in part.steps],
        values=[value for part in parts for value in part.values],
        non_finite=[gap for part in parts for gap in part.non_finite],
        times=[time for part in parts for time in part.times],
        points=sum(part.points for part in parts),
    )
