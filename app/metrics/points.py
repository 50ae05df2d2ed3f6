"""A metric's points as columns, in memory and as bytes.

The bytes of n points are n float64 values, then n float64 times, then n int64 steps, all
little-endian. The steps are left out where they are evenly spaced, as they nearly always are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_FLOAT, _INT = np.dtype("<f8"), np.dtype("<i8")
_WIDTH = 8


class Points(NamedTuple):
    """Points in the order of steps, each step once.

    Attributes:
        steps: (n,).
        values: (n,); not finite where the metric was not.
        times: (n,), seconds since the Unix epoch.
    """

    steps: Ints
    values: Floats
    times: Floats

    @classmethod
    def of(cls, steps: Sequence[int], values: Sequence[float], times: Sequence[float]) -> Points:
        """Points as they were reported: steps in any order, the latest of a step counts."""
        return in_order(
            cls(
                np.array(steps, dtype=np.int64),
                np.array(values, dtype=np.float64),
                np.array(times, dtype=np.float64),
            )
        )

    def cut(self, start: int, end: int | None = None) -> Points:
        """The points from position `start` up to, without, `end`."""
        return Points(self.steps[start:end], self.values[start:end], self.times[start:end])


EMPTY = Points(np.empty(0, np.int64), np.empty(0), np.empty(0))


def in_order(points: Points) -> Points:
    """Sorted by step; of several points at a step the last."""
    steps = points.steps
    if np.all(steps[1:] > steps[:-1]):
        return points
    order = np.argsort(steps, kind="stable")
    chosen = order[np.append(np.diff(steps[order]) > 0, True)]
    return Points(*(column[chosen] for column in points))


def join(parts: Iterable[Points]) -> Points:
    """Parts one after the other; where steps meet, later parts win."""
    columns = list(zip(*parts, strict=True))
    if not columns:
        return EMPTY
    return in_order(Points(*(np.concatenate(column) for column in columns)))


def pack(points: Points) -> bytes:
    """Points as bytes."""
    columns = [points.values.astype(_FLOAT), points.times.astype(_FLOAT)]
    if not _even(points.steps):
        columns.append(points.steps.astype(_INT))
    return b"".join(column.tobytes() for column in columns)


def unpack(data: bytes, count: int, first_step: int, last_step: int) -> Points:
    """The inverse of `pack`; the arrays are views of `data`."""
    values = np.frombuffer(data, _FLOAT, count)
    times = np.frombuffer(data, _FLOAT, count, count * _WIDTH)
    if len(data) > 2 * count * _WIDTH:
        steps = np.frombuffer(data, _INT, count, 2 * count * _WIDTH)
    else:
        stride = (last_step - first_step) // max(1, count - 1)
        steps = first_step + stride * np.arange(count, dtype=np.int64)
    return Points(steps, values, times)


def _even(steps: Ints) -> bool:
    return len(steps) < 3 or bool(np.all(np.diff(steps) == steps[1] - steps[0]))
