"""Attention for CPUs: the query heads of a group side by side, so that keys are never repeated.

On a CPU, PyTorch's fused attention is slow for short queries and in its backward pass. Measured on
two cores in bfloat16 (9 heads, 3 of them with keys, 64 wide): one token after 192 with a batch of
8: 0.13 ms here, 0.7 to 1.3 ms there; 4 × 192 tokens forward and backward: 5.5 ms here, 14 to 16 ms
there. Where the scores would need too much memory, and on GPUs, PyTorch's function is used.
"""

# ruff: noqa: N806 - capital letters are axes: B batch, G groups, R heads of a group, L, S positions

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME: Final = "unisd_grouped"
LARGEST_SCORES: Final = 2**26
"""Scores held at a time; beyond, memory matters more than speed."""
SHORTEST_HALF: Final = 32
"""Queries; with fewer, looking at both halves apart saves nothing. Without a gradient, 181 queries
after 138 positions: 12 ms apart and 16 ms together; 319 queries: 9 and 15 ms."""


def grouped_attention(  # noqa: PLR0917 - the signature is transformers'
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,  # noqa: FBT001 - as above
    **options: Any,  # noqa: ANN401 - as above
) -> tuple[Tensor, None]:
    """Attention as transformers calls it. Returns (B, L, heads, width) and no weights."""
    B, heads, L, width = query.shape
    G, S = key.shape[1], key.shape[2]
    if B * heads * L * S > LARGEST_SCORES or dropout or (is_causal is False):
        return sdpa_attention_forward(
            module,
            query,
            key,
            value,
            attention_mask,
            dropout=dropout,
            scaling=scaling,
            is_causal=is_causal,
            **options,
        )
    if 1 < L < S and _nothing_after(attention_mask, L):  # first pass over an empty static cache
        key, value, S = key[:, :, :L], value[:, :, :L], L
        attention_mask = None if attention_mask is None else attention_mask[..., :L]
    scale = width**-0.5 if scaling is None else scaling
    rows = query.reshape(B, G, heads // G * L, width)
    if L == 1:
        mixed = scaled_dot_product_attention(
            rows, key, value, attn_mask=attention_mask, scale=scale
        )
    else:
        mask = _mask(attention_mask, L, S, query.device)
        half = L // 2
        if (
            half < SHORTEST_HALF
            or torch.is_grad_enabled()
            or bool(mask[..., :half, half - L :].any())
        ):
            mixed = _materialized(rows, key, value, mask, scale)
        else:  # the first half of the queries sees nothing of the last keys
            rows = rows.view(B, G, -1, L, width)
            parts = [
                _materialized(
                    rows[..., part, :].flatten(2, 3),
                    key[:, :, :seen],
                    value[:, :, :seen],
                    mask[..., part, :seen],
                    scale,
                ).view(B, G, heads // G, -1, value.shape[-1])
                for part, seen in ((slice(half), S - L + half), (slice(half, L), S))
            ]
            mixed = torch.cat(parts, -2)
    return mixed.reshape(B, heads, L, -1).transpose(1, 2).contiguous(), None


def _nothing_after(mask: Tensor | None, length: int) -> bool:
    """Whether no query may look beyond the first `length` keys."""
    return mask is None or (mask.dtype == torch.bool and not bool(mask[..., length:].any()))


def _materialized(rows: Tensor, key: Tensor, value: Tensor, mask: Tensor, scale: float) -> Tensor:
    """Scores written out once, in the activations' format; the softmax sums in float32.

    In bfloat16 this is as far from the model in float32 as PyTorch's function (docs/lab-log.md).
    """
    B, G, count, _ = rows.shape
    L, S = mask.shape[-2:]
    scores = torch.matmul(rows * scale, key.transpose(-1, -2)).view(B, G, count // L, L, S)
    scores += torch.zeros((), dtype=scores.dtype).where(mask, float("-inf"))[:, :, None]
    return torch.matmul(torch.softmax(scores, -1).view(B, G, count, S), value)


def _mask(given: Tensor | None, length: int, keys: int, device: torch.device) -> Tensor:
    """True where a query may look, (B or 1, 1, L, S).

    A row that may look nowhere, which is padding, looks everywhere: softmax needs something.
    """
    if given is None:
        causal = torch.ones(length, keys, dtype=torch.bool, device=device).tril()
        return causal[None, None]
    allowed = given if given.dtype == torch.bool else given == 0
    return allowed | ~allowed.any(-1, keepdim=True)


AttentionInterface.register(NAME, grouped_attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
