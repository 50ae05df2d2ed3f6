"""Lays prompts and completions side by side and finds the hidden states that predict them.

Axes: B sequences, L positions of prompt and completion, T completion positions, N completion tokens
of all sequences, H hidden size.
"""

# ruff: noqa: N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from worker.trainer.model import Network
from worker.trainer.prefixes import Before


class Layout(NamedTuple):
    """Sequences padded on the right, and where their completion tokens are predicted."""

    ids_BL: Tensor
    row_N: Tensor
    position_N: Tensor
    tokens: int


def lay_out(
    prompts: Sequence[list[int]], completions: Sequence[list[int]], network: Network
) -> Layout:
    """Join prompts and completions. The last token is predicted, never read, so it is left out."""
    rows = [prompt + ids[:-1] for prompt, ids in zip(prompts, completions, strict=True)]
    row_N = [b for b, ids in enumerate(completions) for _ in ids]
    position_N = [
        len(prompt) - 1 + t
        for prompt, ids in zip(prompts, completions, strict=True)
        for t in range(len(ids))
    ]
    row, position = torch.tensor(row_N), torch.tensor(position_N)
    device = network.device
    return Layout(
        network.padded(rows),
        row.to(device),
        position.to(device),
        sum(map(len, rows)),
    )


def completion_hidden(network: Network, layout: Layout, before: Before | None = None) -> Tensor:
    """Final hidden states (N, H) that predict the completion tokens, sequence after sequence.

    With `before`, the layout holds what follows the prefixes.
    """
    return network.hidden(layout.ids_BL, before)[layout.row_N, layout.position_N]


def targets(completions: Sequence[list[int]], device: torch.device) -> Tensor:
    """All completion tokens (N,), sequence after sequence."""
    return torch.tensor([token for ids in completions for token in ids], device=device)


def completion_mask(completions: Sequence[list[int]], device: torch.device) -> Tensor:
    """(B, T): true at completion tokens."""
    lengths = torch.tensor([len(ids) for ids in completions], device=device)
    longest = max(len(ids) for ids in completions)
    return torch.arange(longest, device=device)[None] < lengths[:, None]
