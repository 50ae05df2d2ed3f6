"""Courses of a metric: attempts joined, seeds averaged, thinned for the eye. Pure.

A course's arrays have a place for each step. `low` and `high` are its band, NaN where it has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from app.comparisons.schemas import Axis, Curve, NonFiniteAt, Spread
from app.metrics.points import EMPTY, Floats, Ints, Points, join
from app.statistics import student_quantiles
from core.events import name_of

_NON_FINITE_SHOWN: Final = 100
Flags = npt.NDArray[np.bool_]


class Course(NamedTuple):
    """What one line shows, before it is thinned out.

    Attributes:
        steps: (n,).
        x: (n,), rising.
        values: (n,); not finite where no run's value was.
        low: (n,), lower edge of the band.
        high: (n,).
        runs: (n,), runs behind each value.
        odd: places at which a run's value was not finite, with that value.
    """

    steps: Ints
    x: Floats
    values: Floats
    low: Floats
    high: Floats
    runs: Ints
    odd: list[tuple[int, float]]


def joined(attempts: Sequence[tuple[int, Points]]) -> Points:
    """A run's course over its attempts, the way that led to where it is now.

    Args:
        attempts: of each attempt, in order, its first step and its points, which may be a part.
    """
    parts: list[Points] = []
    end = None
    for first, points in reversed(attempts):
        cut = points if end is None else points.cut(0, int(points.steps.searchsorted(end)))
        parts.append(cut)
        end = first if end is None else min(first, end)
    return join(reversed(parts)) if parts else EMPTY


def placed(points: Points, axis: Axis, counter: Points, started: float | None) -> Floats:
    """Where points stand on the horizontal axis.

    Args:
        points: a run's.
        axis: what it counts.
        counter: for `tokens` and `epoch`, the run's count of them by step.
        started: when the run started, seconds since the Unix epoch.
    """
    if axis == "step":
        return points.steps.astype(np.float64)
    if axis in {"tokens", "epoch"}:
        finite = np.isfinite(counter.values)
        steps = np.concatenate([[0], counter.steps[finite]])
        values = np.concatenate([[0.0], counter.values[finite]])
        return np.asarray(np.interp(points.steps, steps, values))
    if axis == "wall":
        return points.times
    first = float(points.times[0]) if len(points.times) else 0.0
    return points.times - (first if started is None else started)


def single(points: Points, x: Floats) -> Course:
    """The course of one run."""
    nothing = np.full(len(x), np.nan)
    odd = np.flatnonzero(~np.isfinite(points.values))
    return Course(
        points.steps,
        # A clock that was set back must not turn the curve.
        np.maximum.accumulate(x),
        points.values,
        nothing,
        nothing,
        np.ones(len(x), np.int64),
        [(place, float(points.values[place])) for place in odd.tolist()],
    )


@np.errstate(over="ignore", invalid="ignore")
def averaged(members: Sequence[tuple[Points, Floats]], spread: Spread) -> Course:
    """Mean and band of several runs at each step that any of them reported.

    Args:
        members: points and where they stand, of each run.
        spread: the band: standard deviation, lowest to highest, or t interval of the mean. One
            run alone at a step has none.
    """
    steps = np.unique(np.concatenate([points.steps for points, _ in members]))
    values = np.full((len(members), len(steps)), np.nan)
    xs = np.full_like(values, np.nan)
    for row, (points, x) in enumerate(members):
        places = steps.searchsorted(points.steps)
        values[row, places], xs[row, places] = points.values, x
    finite = np.isfinite(values)
    runs = finite.sum(axis=0)
    clean = np.where(finite, values, 0.0)
    some = np.maximum(runs, 1)
    mean = np.where(runs > 0, clean.sum(axis=0) / some, np.nan)
    low, high = _band(values, finite, mean, spread)
    odd = np.argwhere(~finite & ~np.isnan(xs))
    there = ~np.isnan(xs)
    x = np.where(there, xs, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    # Runs are not equally fast: where one ends, the mean place of the others may step back.
    x = np.maximum.accumulate(x)
    named = sorted((int(place), float(values[row, place])) for row, place in odd.tolist())
    return Course(steps, x, mean, low, high, runs.astype(np.int64), named)


def _band(values: Floats, finite: Flags, mean: Floats, spread: Spread) -> tuple[Floats, Floats]:
    runs = finite.sum(axis=0)
    several = runs > 1
    if spread == "range":
        low = np.where(finite, values, np.inf).min(axis=0)
        high = np.where(finite, values, -np.inf).max(axis=0)
    else:
        half = _half(np.where(finite, values - mean, 0.0), runs, spread)
        low, high = mean - half, mean + half
    return np.where(several, low, np.nan), np.where(several, high, np.nan)


def _half(deviations: Floats, runs: Ints, spread: Spread) -> Floats:
    freedom = np.maximum(runs - 1, 1)
    sd = np.sqrt((deviations**2).sum(axis=0) / freedom)
    if spread == "sd":
        return np.asarray(sd)
    return np.asarray(sd * student_quantiles(freedom) / np.sqrt(np.maximum(runs, 1)))


def within(course: Course, low: float | None, high: float | None) -> Course:
    """The part of a course that a range shows, and a neighbour on either side for its line."""
    count = len(course.x)
    start = 0 if low is None else int(course.x.searchsorted(low))
    end = count if high is None else int(course.x.searchsorted(high, "right"))
    between = 0 < start < count
    if end > start or between:
        start, end = max(0, start - 1), min(count, end + 1)
    return Course(
        course.steps[start:end],
        course.x[start:end],
        course.values[start:end],
        course.low[start:end],
        course.high[start:end],
        course.runs[start:end],
        [(place - start, value) for place, value in course.odd if start <= place < end],
    )


@np.errstate(over="ignore", invalid="ignore")
def drawn(key: str, course: Course, limit: int, *, several: bool) -> Curve:
    """A course in at most `limit` points."""
    count = len(course.x)
    edges = np.linspace(0, count, min(count, limit) + 1).astype(np.int64)
    starts, sizes = edges[:-1], np.diff(edges)
    low = np.where(np.isnan(course.low), course.values, course.low)
    high = np.where(np.isnan(course.high), course.values, course.high)
    finite = np.isfinite(course.values)
    totals = np.add.reduceat(np.where(finite, course.values, 0.0), starts)
    known = np.add.reduceat(finite.astype(np.int64), starts)
    values = np.where(known > 0, totals / np.maximum(known, 1), np.nan)
    lows = np.fmin.reduceat(np.where(np.isfinite(low), low, np.nan), starts)
    highs = np.fmax.reduceat(np.where(np.isfinite(high), high, np.nan), starts)
    # The ends of the curve are true; between them a bucket stands where its middle is.
    places = starts + sizes // 2
    places[0], places[-1] = 0, count - 1
    band = several or count > limit
    return Curve(
        key=key,
        x=course.x[places].tolist(),
        steps=course.steps[places].tolist(),
        values=_written(values),
        low=_written(lows) if band else None,
        high=_written(highs) if band else None,
        counts=sizes.tolist(),
        runs=np.minimum.reduceat(course.runs, starts).tolist() if several else None,
        non_finite=[
            NonFiniteAt(x=float(course.x[place]), value=name_of(value))
            for place, value in course.odd[:_NON_FINITE_SHOWN]
        ],
        points=count,
    )


def _written(values: Floats) -> list[float | None]:
    pairs = zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
    return [value if finite else None for value, finite in pairs]
