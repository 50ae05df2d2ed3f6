"""Student against teacher at every token, over the full vocabulary and without keeping it.

Axes: N completion tokens (valid ones only, flattened), C tokens of a chunk, V vocabulary, H hidden
size. All logarithms are natural: values are in nats. Sums over the vocabulary are in float32, or in
float64 where the inputs are.

Student q and teacher p are softmax(hidden · headᵀ / τ). With M = (1−α) q + α p:

    α = 0      D = KL(p ‖ q)                           ∂D/∂z = (q − p) / τ
    α = 1      D = KL(q ‖ p)                           ∂D/∂z = q (log q/p − D) / τ
    0 < α < 1  D = α KL(p ‖ M) + (1−α) KL(q ‖ M)       ∂D/∂z = (1−α) q (log q/M − KL(q ‖ M)) / τ
    s = log q(token)                                   ∂s/∂z = (1[token] − q) / τ

where z = hidden · headᵀ are the student's logits; nothing flows to the teacher. Source:
generalized Jensen–Shannon divergence, arXiv 2306.13649, eq. 1; forward KL: arXiv 2601.19897.
"""

# ruff: noqa: N803, N806, N815 - capital letters in tensor names are axes

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from core.memory import CHUNK_ELEMENTS
from worker.trainer.head_product import Room, logits
from worker.trainer.mechanisms import full_precision


@dataclass(frozen=True)
class Scoring:
    """What to compute: α, the temperature τ, and how much besides the divergence.

    Attributes:
        train_divergence: give the divergence a gradient.
        train_logprob: give the sampled token's log-probability a gradient.
    """

    alpha: float = 0.0
    temperature: float = 1.0
    top_k: int = 0
    chunk_tokens: int | None = None
    train_divergence: bool = True
    train_logprob: bool = False

    def chunks(self, tokens: int, vocabulary: int) -> list[slice]:
        """Slices of tokens whose logits are held together."""
        size = self.chunk_tokens or max(1, CHUNK_ELEMENTS // vocabulary)
        return [slice(start, start + size) for start in range(0, tokens, size)]


class TokenScores(NamedTuple):
    """Per completion token; `divergence` and `student_logprob` carry a gradient where asked for.

    Without a teacher, the divergence and the teacher's values are 0 and its alternatives empty.
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
    hidden_teacher_NH: Tensor | None,
    head_VH: Tensor,
    target_N: Tensor,
    what: Scoring,
    teacher_head_VH: Tensor | None = None,
) -> TokenScores:
    """Compare both views at every completion token in one pass over the vocabulary.

    Args:
        hidden_student_NH: final hidden states that predict the tokens; may carry a gradient.
        hidden_teacher_NH: the teacher's, at the same tokens, treated as a constant; None without a
            teacher.
        head_VH: output weights. A trainable head gets its gradient through the student only.
        target_N: ids of the sampled tokens.
        what: α, τ, gradients, alternatives and chunk size.
        teacher_head_VH: the teacher's output weights where they differ from the student's.

    Returns:
        Divergence, log-probabilities of `target_N`, entropies and alternatives.
    """
    results = _ScoreTokens.apply(  # type: ignore[no-untyped-call]
        hidden_student_NH,
        hidden_teacher_NH,
        head_VH,
        target_N,
        what,
        head_VH if teacher_head_VH is None else teacher_head_VH,
    )
    return TokenScores(*results)


class _ScoreTokens(torch.autograd.Function):
    """Computes the gradient with the value: N × H is kept for backward, never N × V."""

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes everything by position
        ctx: Any,  # noqa: ANN401
        student_NH: Tensor,
        teacher_NH: Tensor | None,
        head_VH: Tensor,
        target_N: Tensor,
        what: Scoring,
        teacher_head_VH: Tensor,
    ) -> tuple[Tensor, ...]:
        ctx.what, ctx.head_trains = what, ctx.needs_input_grad[2]
        hidden_trains = ctx.needs_input_grad[0]
        slope_NH = _like(student_NH, hidden_trains and what.train_divergence)
        pull_NH = _like(student_NH, hidden_trains and what.train_logprob)
        parts: list[tuple[Tensor, ...]] = []
        room = Room()
        for chunk in what.chunks(len(target_N), len(head_VH)):
            hidden = student_NH[chunk], None if teacher_NH is None else teacher_NH[chunk]
            student, teacher = _views(hidden, (head_VH, teacher_head_VH), what, room)
            target_C = target_N[chunk]
            observed = _observe(student, teacher, target_C, what.top_k)
            if pull_NH is not None:
                # (1[token] − q) · W / τ, without writing the indicator.
                mean_CH = student.prob_CV.to(head_VH.dtype) @ head_VH
                pull_NH[chunk] = (head_VH[target_C] - mean_CH) / what.temperature
            divergence_C = _add_divergence(student, teacher, what, slope_NH, chunk, head_VH)
            parts.append((divergence_C, *observed))
        kept = (student_NH, teacher_NH, head_VH, target_N, teacher_head_VH)
        ctx.save_for_backward(slope_NH, pull_NH, *(kept if ctx.head_trains else ()))
        outputs = tuple(map(torch.cat, zip(*parts, strict=True))) if parts else _nothing(student_NH)
        ctx.mark_non_differentiable(*outputs[2:])
        return outputs

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: ANN401
        slope_NH, pull_NH, *kept = ctx.saved_tensors
        grad_hidden = None
        for jacobian_NH, grad_N in zip((slope_NH, pull_NH), grads, strict=False):
            if jacobian_NH is not None:
                part_NH = (jacobian_NH * grad_N[:, None]).to(jacobian_NH.dtype)
                grad_hidden = part_NH if grad_hidden is None else grad_hidden + part_NH
        grad_head = _head_gradient(grads[0], grads[1], kept, ctx.what) if ctx.head_trains else None
        return grad_hidden, None, grad_head, None, None, None


def _like(hidden_NH: Tensor, wanted: bool) -> Tensor | None:  # noqa: FBT001
    return torch.empty_like(hidden_NH) if wanted else None


def _add_divergence(
    student: _View,
    teacher: _View | None,
    what: Scoring,
    slope_NH: Tensor | None,
    chunk: slice,
    head_VH: Tensor,
) -> Tensor:
    """D of a chunk (C,); its gradient goes into `slope_NH`. Overwrites the student's view."""
    if teacher is None:
        if slope_NH is not None:
            slope_NH[chunk] = 0
        return student.log_CV.new_zeros(len(student.log_CV))
    divergence_C, slope_CV = _divergence(student, teacher, what)
    if slope_NH is not None:
        slope_NH[chunk] = slope_CV.to(head_VH.dtype) @ head_VH
    # Where both views agree, rounding can leave a negative number of the size of 1e-8.
    return divergence_C.clamp_min(0)


def _head_gradient(
    grad_divergence_N: Tensor, grad_logprob_N: Tensor, kept: list[Tensor], what: Scoring
) -> Tensor:
    """∂W = Gᵀ · hidden, with G computed anew chunk by chunk: keeping it would cost N × V."""
    student_NH, teacher_NH, head_VH, target_N, teacher_head_VH = kept
    gradient_VH = torch.zeros_like(full_precision(head_VH))
    room = Room()
    for chunk in what.chunks(len(target_N), len(head_VH)):
        hidden = student_NH[chunk], None if teacher_NH is None else teacher_NH[chunk]
        student, teacher = _views(hidden, (head_VH, teacher_head_VH), what, room)
        slope_CV = torch.zeros_like(student.log_CV)
        if what.train_logprob:
            slope_CV -= student.prob_CV
            slope_CV.scatter_add_(-1, target_N[chunk, None], torch.ones_like(slope_CV[:, :1]))
            slope_CV *= grad_logprob_N[chunk, None] / what.temperature
        if what.train_divergence and teacher is not None:
            slope_CV += _divergence(student, teacher, what)[1] * grad_divergence_N[chunk, None]
        gradient_VH += slope_CV.T @ full_precision(student_NH[chunk])
    return gradient_VH.to(head_VH.dtype)


class _View(NamedTuple):
    """A next-token distribution per token of the chunk: log-probabilities and probabilities."""

    log_CV: Tensor
    prob_CV: Tensor


def _views(
    hidden: tuple[Tensor, Tensor | None],
    heads: tuple[Tensor, Tensor],
    what: Scoring,
    room: Room,
) -> tuple[_View, _View | None]:
    """Both views of a chunk, in memory that the next chunk takes over.

    With one head for both, student and teacher go through it side by side.
    """
    student_CH, teacher_CH = hidden
    if teacher_CH is None:
        return _view(student_CH, heads[0], what.temperature, room, 0), None
    if heads[0] is heads[1]:
        both = _view(torch.cat([student_CH, teacher_CH]), heads[0], what.temperature, room, 0)
        count = len(student_CH)
        student, teacher = (
            _View(both.log_CV[part], both.prob_CV[part])
            for part in (slice(count), slice(count, None))
        )
        return student, teacher
    return (
        _view(student_CH, heads[0], what.temperature, room, 0),
        _view(teacher_CH, heads[1], what.temperature, room, 2),
    )


def _view(hidden_CH: Tensor, head_VH: Tensor, temperature: float, room: Room, place: int) -> _View:
    """Log p = z − log Σ exp z, in place; the sum is read off the softmax at its largest entry."""
    shape = len(hidden_CH), len(head_VH)
    kind = full_precision(hidden_CH.new_empty(0)).dtype
    log_CV = logits(hidden_CH, head_VH, 1 / temperature, room.take(place, shape, hidden_CH, kind))
    prob_CV = torch.softmax(log_CV, -1, out=room.take(place + 1, shape, hidden_CH, kind))
    largest_C, index_C = log_CV.max(-1, keepdim=True)
    # In two steps: rounded to one number, the two would lose the digits of a small log p.
    log_CV.sub_(largest_C).add_(prob_CV.gather(-1, index_C).log())
    return _View(log_CV, prob_CV)


def _expected(prob_CV: Tensor, values_CV: Tensor) -> Tensor:
    """Mean of `values` under `prob`, per token; einsum saves a pass over memory."""
    return torch.einsum("cv,cv->c", prob_CV, values_CV)


def _divergence(student: _View, teacher: _View, what: Scoring) -> tuple[Tensor, Tensor]:
    """D per token (C,) and ∂D/∂logits of the student (C, V). Overwrites the student's view."""
    (log_q, q), (log_p, p), alpha = student, teacher, what.alpha
    if alpha == 0:
        divergence_C = _expected(p, log_q.neg_().add_(log_p))
        return divergence_C, q.sub_(p).div_(what.temperature)
    if alpha == 1:
        ratio_CV = log_q.sub_(log_p)
        mean_C = divergence_C = _expected(q, ratio_CV)
        weight = 1.0
    else:
        # With x = log(α p / (1−α) q): log p/M = log σ(x) − log α, log q/M = log σ(−x) − log(1−α).
        # The constants drop out of the gradient, so nothing cancels there where p ≪ q.
        weight = 1 - alpha
        odds_CV = log_q.neg_().add_(log_p).add_(math.log(alpha / weight))
        of_p_C = _expected(p, logsigmoid(odds_CV).sub_(math.log(alpha)))
        ratio_CV = logsigmoid(odds_CV.neg_())
        of_q_C = _expected(q, ratio_CV - math.log(weight))
        divergence_C = alpha * of_p_C + weight * of_q_C
        mean_C = _expected(q, ratio_CV)
    return divergence_C, q.mul_(ratio_CV.sub_(mean_C[:, None])).mul_(weight / what.temperature)


def _observe(
    student: _View, teacher: _View | None, target_C: Tensor, top_k: int
) -> tuple[Tensor, ...]:
    """Sampled log-probabilities, entropies and alternatives of both views."""
    s, entropy_s, top_s = _observe_one(student, target_C, top_k)
    t, entropy_t, top_t = _observe_one(teacher, target_C, top_k) if teacher else _blank(student)
    return s, t, entropy_s, entropy_t, *top_s, *top_t


def _observe_one(
    view: _View, target_C: Tensor, top_k: int
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    top = view.log_CV.topk(min(top_k, view.log_CV.shape[-1]), dim=-1)
    logprob_C = view.log_CV.gather(-1, target_C[:, None])[:, 0]
    return logprob_C, -_expected(view.prob_CV, view.log_CV), (top.indices, top.values)


def _blank(view: _View) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor]]:
    zero_C = view.log_CV.new_zeros(len(view.log_CV))
    empty_C0 = view.log_CV.new_zeros(len(view.log_CV), 0)
    return zero_C, zero_C.clone(), (empty_C0.long(), empty_C0)


def _nothing(hidden_NH: Tensor) -> tuple[Tensor, ...]:
    """The outputs for no token at all, in the right types and shapes."""
    value_0 = full_precision(hidden_NH.new_zeros(0))
    ids_00, value_00 = value_0.new_zeros(0, 0, dtype=torch.long), value_0.new_zeros(0, 0)
    values = tuple(value_0.clone() for _ in range(5))
    return (*values, ids_00, value_00, ids_00.clone(), value_00.clone())


@torch.no_grad()
def target_logprobs(hidden_NH: Tensor, head_VH: Tensor, target_N: Tensor, what: Scoring) -> Tensor:
    """Log-probability of each target at `what.temperature`, without a gradient. Returns (N,).

    One pass over the logits: neither a softmax nor its logarithm is written.
    """
    parts = []
    room = Room()
    kind = full_precision(hidden_NH.new_empty(0)).dtype
    for chunk in what.chunks(len(target_N), len(head_VH)):
        hidden_CH = hidden_NH[chunk]
        space = room.take(0, (len(hidden_CH), len(head_VH)), hidden_CH, kind)
        logits_CV = logits(hidden_CH, head_VH, 1 / what.temperature, space)
        chosen_C = logits_CV.gather(-1, target_N[chunk, None])[:, 0]
        largest_C1 = logits_CV.amax(-1, keepdim=True)
        total_C = logits_CV.sub_(largest_C1).exp_().sum(-1).log()
        parts.append(chosen_C - largest_C1[:, 0] - total_C)
    return torch.cat(parts) if parts else full_precision(hidden_NH.new_zeros(0))
