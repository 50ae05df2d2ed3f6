"""The divergence between student and teacher, over the full vocabulary and without keeping it.

Axes: N completion tokens (valid ones only, flattened), V vocabulary, H hidden size, B sequences,
T completion positions (right-padded). All logarithms are natural: values are in nats. Sums over the
vocabulary are in float32, or in float64 where the inputs are.

Student q and teacher p are softmax(hidden · headᵀ / τ). With M = (1−α) q + α p:

    α = 0      D = KL(p ‖ q)                           ∂D/∂z = (q − p) / τ
    α = 1      D = KL(q ‖ p)                           ∂D/∂z = q (log q/p − D) / τ
    0 < α < 1  D = α KL(p ‖ M) + (1−α) KL(q ‖ M)       ∂D/∂z = (1−α) q (log q/M − KL(q ‖ M)) / τ

where z = hidden · headᵀ are the student's logits; nothing flows to the teacher. Source:
generalized Jensen–Shannon divergence, arXiv 2306.13649, eq. 1; forward KL: arXiv 2601.19897.
"""

# ruff: noqa: N803, N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple, cast

import torch
from torch import Tensor
from torch.autograd.function import FunctionCtx

CHUNK_ELEMENTS: Final = 2**24
"""Logits held at a time and per view: 64 MiB in float32."""


@dataclass(frozen=True)
class Divergence:
    """What to compute: α, the temperature τ, and how much besides the divergence."""

    alpha: float
    temperature: float = 1.0
    top_k: int = 0
    chunk_tokens: int | None = None

    def chunk(self, vocabulary: int) -> int:
        """Tokens per chunk for a vocabulary of this size."""
        return self.chunk_tokens or max(1, CHUNK_ELEMENTS // vocabulary)


class TokenScores(NamedTuple):
    """Per completion token; only `divergence` carries a gradient.

    `top_*` hold the k likeliest tokens and their log-probabilities, likeliest first (k may be 0).
    """

    divergence_N: Tensor
    student_logprob_N: Tensor
    teacher_logprob_N: Tensor
    student_entropy_N: Tensor
    teacher_entropy_N: Tensor
    top_student_ids_NK: Tensor
    top_student_logprobs_NK: Tensor
    top_teacher_ids_NK: Tensor
    top_teacher_logprobs_NK: Tensor


def score_tokens(
    hidden_student_NH: Tensor,
    hidden_teacher_NH: Tensor,
    head_VH: Tensor,
    target_N: Tensor,
    what: Divergence,
) -> TokenScores:
    """Compare both views at every completion token in one pass over the vocabulary.

    Args:
        hidden_student_NH: final hidden states that predict the tokens; may carry a gradient.
        hidden_teacher_NH: the teacher's, at the same tokens. Treated as a constant.
        head_VH: output weights. A trainable head gets its gradient through the student only.
        target_N: ids of the sampled tokens.
        what: α, τ, alternatives and chunk size.

    Returns:
        Divergence (differentiable), log-probabilities of `target_N`, entropies and alternatives.
    """
    results = _ScoreTokens.apply(  # type: ignore[no-untyped-call]
        hidden_student_NH, hidden_teacher_NH, head_VH, target_N, what
    )
    return TokenScores(*results)


class _ScoreTokens(torch.autograd.Function):
    """Computes the gradient with the value: N × H is kept for backward, never N × V."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        student_NH: Tensor,
        teacher_NH: Tensor,
        head_VH: Tensor,
        target_N: Tensor,
        what: Divergence,
    ) -> tuple[Tensor, ...]:
        state = cast("Any", ctx)
        state.what = what
        state.head_trains, hidden_trains = _needs_gradient(state, 2), _needs_gradient(state, 0)
        full_head_VH = full_precision(head_VH)
        gradient_NH = torch.empty_like(student_NH) if hidden_trains else None
        parts: list[tuple[Tensor, ...]] = []
        for chunk in _chunks(len(target_N), what.chunk(len(head_VH))):
            student = _view(student_NH[chunk], full_head_VH, what.temperature)
            teacher = _view(teacher_NH[chunk], full_head_VH, what.temperature)
            observed = _observe(student, teacher, target_N[chunk], what.top_k)
            divergence_C, slope_CV = _divergence(student, teacher, what)
            if gradient_NH is not None:
                gradient_NH[chunk] = slope_CV.to(head_VH.dtype) @ head_VH
            # Where both views agree, rounding can leave a negative number of the size of 1e-8.
            parts.append((divergence_C.clamp_min(0), *observed))
        state.save_for_backward(
            gradient_NH, *((student_NH, teacher_NH, head_VH) if state.head_trains else ())
        )
        outputs = tuple(map(torch.cat, zip(*parts, strict=True))) if parts else _nothing(student_NH)
        state.mark_non_differentiable(*outputs[1:])
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        grad_N = grads[0]
        gradient_NH, *for_head = ctx.saved_tensors
        grad_hidden = None
        if gradient_NH is not None:
            grad_hidden = (gradient_NH * grad_N[:, None]).to(gradient_NH.dtype)
        grad_head = _head_gradient(grad_N, tuple(for_head), ctx.what) if ctx.head_trains else None
        return grad_hidden, None, grad_head, None, None


def _needs_gradient(ctx: Any, index: int) -> bool:  # noqa: ANN401
    """Whether input `index` of an autograd function needs a gradient."""
    return bool(ctx.needs_input_grad[index])


def _head_gradient(
    grad_N: Tensor, saved: tuple[Tensor, Tensor, Tensor], what: Divergence
) -> Tensor:
    """∂W = Gᵀ · hidden, with G computed anew chunk by chunk: keeping it would cost N × V."""
    student_NH, teacher_NH, head_VH = saved
    full_head_VH = full_precision(head_VH)
    gradient_VH = torch.zeros_like(full_head_VH)
    for chunk in _chunks(len(grad_N), what.chunk(len(head_VH))):
        student = _view(student_NH[chunk], full_head_VH, what.temperature)
        teacher = _view(teacher_NH[chunk], full_head_VH, what.temperature)
        _, slope_CV = _divergence(student, teacher, what)
        gradient_VH += (slope_CV * grad_N[chunk, None]).T @ full_precision(student_NH[chunk])
    return gradient_VH.to(head_VH.dtype)


def _chunks(tokens: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, tokens, size)]


def full_precision(values: Tensor) -> Tensor:
    """At least float32. Student and teacher are nearly equal: logits in bfloat16 would drown D."""
    return values if values.dtype == torch.float64 else values.float()


def _log_softmax(hidden_CH: Tensor, head_VH: Tensor, temperature: float) -> Tensor:
    logits_CV = full_precision(hidden_CH) @ head_VH.T
    return torch.log_softmax(logits_CV.div_(temperature), dim=-1)


class _View(NamedTuple):
    """A next-token distribution per token of the chunk: log-probabilities and probabilities."""

    log_CV: Tensor
    prob_CV: Tensor


def _view(hidden_CH: Tensor, head_VH: Tensor, temperature: float) -> _View:
    log_CV = _log_softmax(hidden_CH, head_VH, temperature)
    return _View(log_CV, log_CV.exp())


def _expected(prob_CV: Tensor, values_CV: Tensor) -> Tensor:
    """Mean of `values` under `prob`, per token; einsum saves a pass over memory."""
    return torch.einsum("cv,cv->c", prob_CV, values_CV)


def _divergence(student: _View, teacher: _View, what: Divergence) -> tuple[Tensor, Tensor]:
    """D per token (C,) and ∂D/∂logits of the student (C, V). Overwrites the student's view."""
    (log_q, q), (log_p, p), alpha = student, teacher, what.alpha
    if alpha == 0:
        return _expected(p, log_p - log_q), q.sub_(p).div_(what.temperature)
    if alpha == 1:
        ratio_CV = log_q.sub_(log_p)
        kl_C = divergence_C = _expected(q, ratio_CV)
    else:
        log_m = torch.logaddexp(log_q + math.log1p(-alpha), log_p + math.log(alpha))
        ratio_CV = log_q.sub_(log_m)
        kl_C = _expected(q, ratio_CV)
        divergence_C = alpha * _expected(p, log_p - log_m) + (1 - alpha) * kl_C
    weight = 1 if alpha == 1 else 1 - alpha
    return divergence_C, q.mul_(ratio_CV.sub_(kl_C[:, None])).mul_(weight / what.temperature)


def _observe(student: _View, teacher: _View, target_C: Tensor, top_k: int) -> tuple[Tensor, ...]:
    """Sampled log-probabilities, entropies and alternatives of both views."""
    views = (student.log_CV, teacher.log_CV)
    k = min(top_k, student.log_CV.shape[-1])
    top_q, top_p = (log_CV.topk(k, dim=-1) for log_CV in views)
    return (
        *(log_CV.gather(-1, target_C[:, None])[:, 0] for log_CV in views),
        *(-_expected(view.prob_CV, view.log_CV) for view in (student, teacher)),
        top_q.indices,
        top_q.values,
        top_p.indices,
        top_p.values,
    )


def _nothing(hidden_NH: Tensor) -> tuple[Tensor, ...]:
    """The outputs for no token at all, in the right types and shapes."""
    value_0 = full_precision(hidden_NH.new_zeros(0))
    ids_00, value_00 = value_0.new_zeros(0, 0, dtype=torch.long), value_0.new_zeros(0, 0)
    values = tuple(value_0.clone() for _ in range(5))
    return (*values, ids_00, value_00, ids_00.clone(), value_00.clone())


def target_logprobs(
    hidden_NH: Tensor, head_VH: Tensor, target_N: Tensor, what: Divergence
) -> Tensor:
    """Log-probability of each target at `what.temperature`, without a gradient. Returns (N,)."""
    head = full_precision(head_VH.detach())
    parts = [
        _log_softmax(hidden_NH[chunk].detach(), head, what.temperature)
        .gather(-1, target_N[chunk, None])
        .squeeze(-1)
        for chunk in _chunks(len(target_N), what.chunk(len(head)))
    ]
    return torch.cat(parts) if parts else full_precision(hidden_NH.new_zeros(0))


def unflatten(values_N: Tensor, mask_BT: Tensor) -> Tensor:
    """Put flattened token values back into their rows; 0 where there is no token. Keeps grads."""
    padded_BT = values_N.new_zeros(mask_BT.shape)
    return padded_BT.masked_scatter(mask_BT, values_N)


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
    return torch.where(mask_BT, values_BT, 0) * weighted_mask / total_B1


def batch_mean(contributions_BT: Tensor, sequences: int) -> Tensor:
    """Mean over sequences of the sums over tokens.

    `sequences` is the number in the whole global batch: with accumulation this is one part of it.
    """
    return contributions_BT.sum() / sequences
