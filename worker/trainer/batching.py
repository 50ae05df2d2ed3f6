"""Which sequences go through the network together, so that little of it is padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PASS: Final = {"cpu": 32}
"""What one more pass costs, in tokens. A CPU is as fast with few rows as with many."""

GPU_PASS: Final = 1024
"""The same on devices that want much to do at once."""

MOST_ROWS: Final = 512
"""Rows of a pass that are looked at; more would gain nothing."""


def like_lengths(
    lengths: Sequence[int], rows: int, device: str, longest: int | None = None
) -> list[list[int]]:
    """Indices in batches of like length, each of at most `rows` rows of the longest there is.

    A batch of shorter sequences may have more rows: what counts is rows × longest. Within that, the
    batches are those that cost least, in padded tokens and passes.

    Args:
        lengths: of the sequences.
        rows: of the longest sequence that fit.
        device: type of the device that computes.
        longest: how long that is where `lengths` are not whole sequences.
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    budget = rows * (max(lengths, default=0) if longest is None else longest)
    cost = [0]  # of the first so many sequences, in ascending order
    starts: list[int] = []  # where the last of their batches starts
    for end, newest in enumerate(order, start=1):
        # In ascending order, the newest is the longest of its batch.
        most = min(max(1, budget // max(1, lengths[newest])), MOST_ROWS, end)
        start = min(
            range(end - most, end),
            key=lambda first, end=end, length=lengths[newest]: cost[first] + (end - first) * length,  # type: ignore[misc]
        )
        cost.append(cost[start] + (end - start) * lengths[newest] + PASS.get(device, GPU_PASS))
        starts.append(start)
    batches: list[list[int]] = []
    end = len(order)
    while end:
        batches.append(order[starts[end - 1] : end])
        end = starts[end - 1]
    return batches[::-1]
