"""hidden · headᵀ with float32 logits, without a float32 copy of the head.

Student and teacher are nearly equal: logits rounded to bfloat16 would drown their divergence. The
product of two bfloat16 numbers is exact in float32, so only the sum has to be kept in float32.
"""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor

TILE: Final = 4096
"""Rows of the head that are converted at a time."""

_HALF: Final = (torch.bfloat16, torch.float16)


class Room:
    """Memory for logits that every chunk uses again: fresh pages cost more than the sums."""

    def __init__(self) -> None:
        self._taken: dict[int, Tensor] = {}

    def take(self, place: int, shape: tuple[int, int], like: Tensor, dtype: torch.dtype) -> Tensor:
        """A tensor of `shape` that overwrites what stood at `place` before."""
        count = shape[0] * shape[1]
        known = self._taken.get(place)
        if known is None or known.numel() < count:
            known = self._taken[place] = like.new_empty(count, dtype=dtype)
        return known[:count].view(shape)


def logits(hidden_CH: Tensor, head_VH: Tensor, scale: float, out_CV: Tensor) -> Tensor:
    """Scale · hidden · headᵀ (C, V), in float64 for float64 inputs, else in float32.

    Args:
        hidden_CH: hidden states.
        head_VH: output weights.
        scale: 1 / temperature.
        out_CV: memory for the result.
    """
    hidden_CH, head_VH = hidden_CH.detach(), head_VH.detach()
    if head_VH.is_cuda and head_VH.dtype in _HALF and hidden_CH.dtype == head_VH.dtype:
        out_CV.copy_(torch.mm(hidden_CH, head_VH.T, out_dtype=torch.float32))
        return out_CV.mul_(scale)
    exact = hidden_CH.dtype == head_VH.dtype == torch.bfloat16
    hidden_CH = hidden_CH.to(out_CV.dtype)
    with _bfloat16_products(exact):
        for start in range(0, len(head_VH), TILE):
            tile = slice(start, start + TILE)
            weight_VH = head_VH[tile].to(out_CV.dtype)
            out_CV[:, tile] = hidden_CH @ weight_VH.T
    return out_CV.mul_(scale)


@contextmanager
def _bfloat16_products(on: bool) -> Iterator[None]:  # noqa: FBT001
    """Let oneDNN multiply in bfloat16 and add in float32: the same numbers, 1.5 times as fast.

    Only for factors that are bfloat16 numbers already.
    """
    settings: Any = getattr(torch.backends.mkldnn, "matmul")  # noqa: B009 - untyped in torch
    before = settings.fp32_precision
    if on:
        settings.fp32_precision = "bf16"
    try:
        yield
    finally:
        settings.fp32_precision = before
