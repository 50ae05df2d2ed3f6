"""Thins out series so that no spike and no gap is lost."""

from __future__ import annotations

import numpy as np

from app.metrics.points import Ints, Points


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
