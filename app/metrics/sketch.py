"""A metric's course in a few values: every n-th point, n doubling as the points grow.

What is kept follows from the number of points alone, so a sketch grows without looking back.
"""

from __future__ import annotations

import numpy as np

from app.metrics.points import Floats

MOST = 47
"""Values kept at most; with the newest point there are up to 48 to draw."""
_FLOAT = np.dtype("<f8")


def stride(count: int) -> int:
    """Every how many points of `count` one is kept: a power of two."""
    return 1 << (max(0, -(-count // MOST) - 1)).bit_length()


def extended(data: bytes, count: int, values: Floats) -> bytes:
    """The sketch of `count` points with the next `values`."""
    before, after = stride(count), stride(count + len(values))
    kept = np.frombuffer(data, _FLOAT)[:: after // before]
    fresh = values[-count % after :: after]
    return np.concatenate([kept, fresh]).astype(_FLOAT).tobytes()


def drawn(data: bytes, count: int, last: float | None) -> list[float | None]:
    """Values to draw, the newest included; None where they are not finite."""
    values = np.frombuffer(data, _FLOAT)
    line = [value if finite else None for value, finite in _pairs(values)]
    if count and (count - 1) % stride(count):
        line.append(last)
    return line


def _pairs(values: Floats) -> zip[tuple[float, bool]]:
    return zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
