"""Thins out series so that no spike and no gap is lost."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from app.metrics.points import Floats, Ints, Points


def downsample(points: Points, limit: int) -> Points:
    """At most `limit` points: of every bucket its lowest, its highest and a gap if it has one.

    Buckets are of equal numbers of points. The first and the last point are always kept, so that
    the ends of the curve are true. The fewer gaps to keep, the more buckets: half of `limit`, or a
    third where any value is not finite.
    """
    count = len(points.steps)
    if count <= limit or limit < 5:
        return points
    inner = points.cut(1, count - 1)
    gaps = not bool(np.isfinite(inner.values).all())
    buckets = max(1, (limit - 2) // (3 if gaps else 2))
    size = -(-(count - 2) // buckets)
    whole = (count - 2) // size * size
    parts = [_extremes(inner.cut(0, whole), size)]
    if whole < count - 2:
        parts.append(whole + _extremes(inner.cut(whole), count - 2 - whole))
    chosen = np.concatenate([[0], 1 + np.unique(np.concatenate(parts)), [count - 1]])
    return Points(*(column[chosen] for column in points))


def _extremes(points: Points, size: int) -> Ints:
    """Positions of lowest and highest value of each bucket of `size`, and of its first gap."""
    values = points.values.reshape(-1, size)
    starts = np.arange(0, values.size, size, dtype=np.int64)
    finite = np.isfinite(values)
    if finite.all():
        return np.concatenate([starts + values.argmin(axis=1), starts + values.argmax(axis=1)])
    low = np.where(finite, values, np.inf).argmin(axis=1)
    high = np.where(finite, values, -np.inf).argmax(axis=1)
    with_gap = ~finite.all(axis=1)
    gap = finite.argmin(axis=1)
    # In a bucket of gaps alone, both extremes fall on its first.
    return np.concatenate([starts + low, starts + high, (starts + gap)[with_gap]])


class Bands(NamedTuple):
    """Buckets of successive points.

    Attributes:
        points: (n,), of every bucket the step and time of its last point, and the mean of its
            finite values; NaN where it has none.
        low, high: (n,), the extremes of these values; NaN where there are none.
        counts: (n,), points in each bucket.
        gaps: (m,), of every bucket with values that are not finite the first of them.
    """

    points: Points
    low: Floats
    high: Floats
    counts: Ints
    gaps: Points


def bands(points: Points, limit: int) -> Bands:
    """At most `limit` buckets of equal numbers of points; the first and the last stand alone."""
    count = len(points.steps)
    starts = _starts(count, limit)
    counts = np.diff(np.append(starts, count))
    if count == 0:
        return Bands(points, points.values, points.values, counts, points)
    values = points.values
    finite = np.isfinite(values)
    known = np.add.reduceat(finite, starts, dtype=np.int64)
    low = np.minimum.reduceat(np.where(finite, values, np.inf), starts)
    high = np.maximum.reduceat(np.where(finite, values, -np.inf), starts)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.add.reduceat(np.where(finite, values, 0.0), starts) / np.maximum(known, 1)
    # Neither rounding nor an overflow takes the mean out of the values that it stands for.
    mean = np.clip(np.nan_to_num(mean), low, np.maximum(low, high))
    for column in (mean, low, high):
        column[known == 0] = np.nan
    ends = starts + counts - 1
    bucket = np.repeat(np.arange(len(starts)), counts)[~finite]
    first = np.flatnonzero(~finite)[np.unique(bucket, return_index=True)[1]]
    return Bands(
        Points(points.steps[ends], mean, points.times[ends]),
        low,
        high,
        counts,
        Points(points.steps[first], points.values[first], points.times[first]),
    )


def _starts(count: int, limit: int) -> Ints:
    """Positions at which the buckets begin."""
    if count <= limit or limit < 3:
        return np.arange(count, dtype=np.int64)
    size = -(-(count - 2) // (limit - 2))
    return np.concatenate([[0], np.arange(1, count - 1, size), [count - 1]]).astype(np.int64)
