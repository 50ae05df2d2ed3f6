"""Thins out series so that no spike is lost."""

from __future__ import annotations

import math
from collections.abc import Sequence

Point = tuple[int, float | None, float]
"""Step, value (null where it was not finite) and time."""


def downsample(points: Sequence[Point], limit: int) -> list[Point]:
    """At most `limit` points: of every bucket its lowest, its highest and a gap if it has one.

    First and last point are always kept, so that the ends of the curve are true.
    """
    if len(points) <= limit or limit < 5:
        return list(points)
    inner = points[1:-1]
    buckets = max(1, (limit - 2) // 3)
    size = math.ceil(len(inner) / buckets)
    kept: list[Point] = [points[0]]
    for start in range(0, len(inner), size):
        kept.extend(_extremes(inner[start : start + size]))
    kept.append(points[-1])
    return kept


def _extremes(bucket: Sequence[Point]) -> list[Point]:
    finite = [(value, index) for index, (_, value, _) in enumerate(bucket) if value is not None]
    wanted = {index for index, (_, value, _) in enumerate(bucket) if value is None}
    wanted = {min(wanted)} if wanted else set()
    if finite:
        wanted |= {min(finite)[1], max(finite)[1]}
    return [bucket[index] for index in sorted(wanted)]
