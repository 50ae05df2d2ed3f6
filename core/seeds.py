"""Every use of randomness has a stream of its own, derived from the run's seed and a name.

So sampling a pinned example does not change what the training batch samples, and the same seed
gives the same run whatever else is switched on.
"""

from __future__ import annotations

import hashlib


def derive_seed(seed: int, *name: str | int) -> int:
    """A 63-bit seed for the stream called `name` of the run's `seed`."""
    digest = hashlib.blake2b(repr((seed, *name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) >> 1


def draw(seed: int, *name: str | int) -> float:
    """A number in [0, 1) from the stream called `name`."""
    return derive_seed(seed, *name) / 2**63
