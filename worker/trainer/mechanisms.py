"""The terms around the divergence, as pure functions (`method` section 2).

Axes: B sequences, T completion positions (right-padded), K teacher views, H hidden size. Values at
padding are 0 and never counted. Source: UniSD, arXiv 2605.06597.
"""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import torch
from torch import Tensor

Statistic = Literal["variance", "range"]

SMALLEST_SCALE: Final = 1e-6
SCALE_QUANTILE: Final = 0.95
LARGEST_RATIO: Final = 10.0
LEAST_TOKEN_WEIGHT: Final = 0.01
LEAST_SEQUENCE_WEIGHT: Final = 1e-6


class Agreement(NamedTuple):
    """How far the views disagree, and the weight that follows; (B, T) or (B, 1)."""

    disagreement: Tensor
    weight: Tensor


class Scales(NamedTuple):
    """Scale of the disagreement of a global batch's tokens, by either statistic."""

    variance: Tensor
    range: Tensor


def quantile(values_N: Tensor, q: float) -> Tensor:
    """Empirical quantile with linear interpolation, at least 1e-6; 1e-6 where there is no value."""
    if not len(values_N):
        return values_N.new_tensor(SMALLEST_SCALE)
    ordered = values_N.detach().sort().values
    place = q * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    value = torch.lerp(ordered[low], ordered[high], place - low)
    return value.clamp_min(SMALLEST_SCALE)


def quantile_grid(values_N: Tensor) -> Tensor:
    """The quantiles 0, 0.01, … 1 as `quantile` computes them, in float64; (101,)."""
    if not len(values_N):
        return torch.full((101,), SMALLEST_SCALE, dtype=torch.float64)
    ordered = values_N.detach().sort().values.double().cpu()
    places = torch.linspace(0, 1, 101, dtype=torch.float64) * (len(ordered) - 1)
    low = places.long().clamp_max(len(ordered) - 1)
    high = (low + 1).clamp_max(len(ordered) - 1)
    return torch.lerp(ordered[low], ordered[high], places - low).clamp_min(SMALLEST_SCALE)


def clip(divergence: Tensor, ceiling: Tensor | float) -> Tensor:
    """D ← min(D, c); a clipped token has no gradient."""
    limit = torch.as_tensor(ceiling, dtype=divergence.dtype, device=divergence.device)
    return torch.minimum(divergence, limit.detach())


def spread(values_K: Tensor, statistic: Statistic, *, unbiased: bool) -> Tensor:
    """Disagreement over the first axis: variance (ddof 1 if unbiased, else 0) or range."""
    if statistic == "range":
        return values_K.amax(0) - values_K.amin(0)
    return values_K.var(0, correction=1 if unbiased else 0)


def token_agreement(
    disagreement_BT: Tensor, mask_BT: Tensor, scale: Tensor, gamma: float
) -> Agreement:
    """Weights w = 1 / (1 + γ · min(d/scale, 10)), at least 0.01.

    Args:
        disagreement_BT: d, from `spread(…, unbiased=True)`.
        mask_BT: true at completion tokens.
        scale: 0.95-quantile of d over the tokens of the whole global batch (`quantile`).
        gamma: strength γ.
    """
    ratio_BT = (disagreement_BT / scale).clamp_max(LARGEST_RATIO)
    weight_BT = (1 / (1 + gamma * ratio_BT)).clamp_min(LEAST_TOKEN_WEIGHT)
    return Agreement(_masked(disagreement_BT, mask_BT), _masked(weight_BT, mask_BT))


def sequence_agreement(
    logprobs_KBT: Tensor, mask_BT: Tensor, statistic: Statistic, gamma: float
) -> Agreement:
    """Weights w = exp(−γ d), at least 1e-6, with d of the views' mean log-probabilities; (B, 1)."""
    count_B = mask_BT.sum(-1).clamp_min(1)
    mean_KB = _masked(logprobs_KBT, mask_BT).sum(-1) / count_B
    disagreement_B = spread(mean_KB, statistic, unbiased=False)
    weight_B = torch.exp(-gamma * disagreement_B).clamp_min(LEAST_SEQUENCE_WEIGHT)
    return Agreement(disagreement_B[:, None], weight_B[:, None])


def contrastive(student: Tensor, teacher: Tensor, negative: Tensor, margin: float) -> Tensor:
    """max(0, margin + |s − t| − |s − n|) per token; only the student carries a gradient."""
    near = (student - teacher.detach()).abs()
    far = (student - negative.detach()).abs()
    return (margin + near - far).clamp_min(0)


def feature_distance(student_NH: Tensor, teacher_NH: Tensor) -> Tensor:
    """Mean over H of the squared difference of final hidden states, in at least float32; (N,)."""
    student, teacher = full_precision(student_NH), full_precision(teacher_NH.detach())
    return (student - teacher).square().mean(-1)


def token_contributions(
    values_BT: Tensor,
    mask_BT: Tensor,
    weights_BT: Tensor | None = None,
    normalize_by: Literal["tokens", "weights"] = "tokens",
) -> Tensor:
    """Each token's share of its sequence's mean (`method` section 3); sums to it over T.

    Args:
        values_BT: per-token values, for example the divergence.
        mask_BT: true at completion tokens.
        weights_BT: weights per token, or (B, 1) per sequence. They carry no gradient.
        normalize_by: `tokens` divides by the number of tokens, so that an unreliable token counts
            less; `weights` by the sum of weights, where a weight per sequence cancels.

    Returns:
        (B, T); a sequence without tokens is all 0.
    """
    mask = mask_BT.to(values_BT.dtype)
    weighted_mask = mask if weights_BT is None else mask * weights_BT.detach()
    divisor = mask if normalize_by == "tokens" else weighted_mask
    total_B1 = divisor.sum(-1, keepdim=True)
    total_B1 = torch.where(total_B1 > 0, total_B1, torch.ones_like(total_B1))
    return _masked(values_BT, mask_BT) * weighted_mask / total_B1


def batch_mean(contributions_BT: Tensor, sequences: int) -> Tensor:
    """Mean over sequences of the sums over tokens.

    `sequences` is the number in the whole global batch: with accumulation this is one part of it.
    """
    return contributions_BT.sum() / sequences


def unflatten(values_N: Tensor, mask_BT: Tensor) -> Tensor:
    """Put flattened token values back into their rows; 0 where there is no token. Keeps grads."""
    padded_BT = values_N.new_zeros(mask_BT.shape)
    return padded_BT.masked_scatter(mask_BT, values_N)


def full_precision(values: Tensor) -> Tensor:
    """At least float32."""
    return values if values.dtype == torch.float64 else values.float()


def _masked(values: Tensor, mask: Tensor) -> Tensor:
    return torch.where(mask, values, 0)
