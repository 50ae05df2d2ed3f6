"""The objective against the oracle, a naive reference, finite differences and its own bounds."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from worker.trainer.mechanisms import batch_mean, token_contributions, unflatten
from worker.trainer.objective import Scoring, score_tokens, target_logprobs

ORACLE = sorted((Path(__file__).parents[2] / "oracle").glob("objective_*.npz"))
ALPHAS = [0.0, 0.25, 0.5, 1.0]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}


def test_the_oracle_is_there():
    assert len(ORACLE) == 2


@pytest.fixture(params=ORACLE, ids=lambda path: path.stem)
def oracle(request):
    with np.load(request.param) as file:
        return {name: torch.from_numpy(np.array(file[name])) for name in file}


def close(actual, expected, dtype):
    tolerance = TOLERANCE[dtype]
    expected = expected.double()
    torch.testing.assert_close(
        actual.double(), expected, rtol=tolerance, atol=tolerance * float(expected.abs().max())
    )


def scored(oracle, dtype, alpha, chunk=None):
    """Scores as (B, T), and the leaf that collects the gradient."""
    mask = oracle["mask"]
    hidden = oracle["hidden_student"].to(dtype).requires_grad_()
    scores = score_tokens(
        hidden[mask],
        oracle["hidden_teacher"].to(dtype)[mask],
        oracle["head"].to(dtype),
        oracle["completion_ids"][mask],
        # The stored temperature is a float32; both dtypes must use the very same number.
        Scoring(alpha, float(oracle["temperature"]), chunk_tokens=chunk),
    )
    return scores, hidden


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_divergence_meets_the_oracle(oracle, dtype, alpha):
    scores, _ = scored(oracle, dtype, alpha)
    expected = oracle[f"divergence_alpha_{alpha}"]
    close(scores.divergence_N, expected[oracle["mask"]], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_gradient_meets_the_oracle(oracle, dtype, alpha):
    scores, hidden = scored(oracle, dtype, alpha)
    mask = oracle["mask"]
    contributions = token_contributions(unflatten(scores.divergence_N, mask), mask)
    batch_mean(contributions, len(mask)).backward()
    close(hidden.grad, oracle[f"grad_hidden_alpha_{alpha}"], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_observed_values_meet_the_oracle(oracle, dtype):
    scores, _ = scored(oracle, dtype, 0.0)
    mask = oracle["mask"]
    close(scores.student_logprob_N, oracle["student_logps"][mask], dtype)
    close(scores.teacher_logprob_N, oracle["teacher_logps"][mask], dtype)
    close(scores.student_entropy_N, oracle["student_entropy"][mask], dtype)
    logprobs = target_logprobs(
        oracle["hidden_student"].to(dtype)[mask],
        oracle["head"].to(dtype),
        oracle["completion_ids"][mask],
        Scoring(0.0, float(oracle["temperature"]), chunk_tokens=5),
    )
    close(logprobs, oracle["student_logps"][mask], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(
    ("loss", "weight", "normalize_by"),
    [
        ("plain", None, "tokens"),
        ("agree_token_by_tokens", "agree_token_var_gamma_1.0_weight", "tokens"),
        ("agree_token_by_weights", "agree_token_var_gamma_1.0_weight", "weights"),
        ("agree_sequence_by_tokens", "agree_sequence_var_gamma_1.0_weight", "tokens"),
    ],
)
def test_aggregated_loss_meets_the_oracle(oracle, dtype, loss, weight, normalize_by):
    scores, _ = scored(oracle, dtype, 0.0)
    mask = oracle["mask"]
    weights = None if weight is None else oracle[weight].to(dtype)
    if weights is not None and weights.ndim == 1:
        weights = weights[:, None]
    contributions = token_contributions(
        unflatten(scores.divergence_N, mask), mask, weights, normalize_by
    )
    close(batch_mean(contributions, len(mask)), oracle[f"loss_divergence_{loss}"], dtype)


def inputs(tokens=7, vocabulary=11, hidden=5, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64).to(dtype)

    targets = torch.randint(vocabulary, (tokens,), generator=generator)
    return draw(tokens, hidden), draw(tokens, hidden), draw(vocabulary, hidden), targets


def naive(student, teacher, head, alpha, tau):
    """Written from the definition, in probability space, one token and one word at a time."""
    values = []
    for token in range(len(student)):
        q = torch.softmax(head @ student[token] / tau, 0)
        p = torch.softmax(head @ teacher[token] / tau, 0)
        if alpha == 0:
            values.append(sum(p[v] * torch.log(p[v] / q[v]) for v in range(len(p))))
        elif alpha == 1:
            values.append(sum(q[v] * torch.log(q[v] / p[v]) for v in range(len(p))))
        else:
            m = (1 - alpha) * q + alpha * p
            of_p = sum(p[v] * torch.log(p[v] / m[v]) for v in range(len(p)))
            of_q = sum(q[v] * torch.log(q[v] / m[v]) for v in range(len(p)))
            values.append(alpha * of_p + (1 - alpha) * of_q)
    return torch.stack(values)


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_value_and_gradients_equal_the_naive_reference(alpha, tau):
    student, teacher, head, targets = inputs()
    ours = [student.clone().requires_grad_(), head.clone().requires_grad_()]
    theirs = [student.clone().requires_grad_(), head.clone().requires_grad_()]
    weights = torch.linspace(0.5, 2, len(student), dtype=torch.float64)

    scores = score_tokens(ours[0], teacher, ours[1], targets, Scoring(alpha, tau))
    # The head's gradient comes through the student alone: the reference's teacher has a copy.
    teacher_logits_head = head.clone()
    q_hidden, q_head = theirs
    values = _naive_with_two_heads(q_hidden, q_head, teacher, teacher_logits_head, alpha, tau)
    torch.testing.assert_close(scores.divergence_N, values, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(values, naive(student, teacher, head, alpha, tau))

    (scores.divergence_N * weights).sum().backward()
    (values * weights).sum().backward()
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, reference.grad, rtol=1e-9, atol=1e-12)


def _naive_with_two_heads(student, head, teacher, teacher_head, alpha, tau):
    q = torch.softmax(student @ head.T / tau, -1)
    p = torch.softmax(teacher @ teacher_head.T / tau, -1)
    m = {0.0: q, 1.0: p}.get(alpha, (1 - alpha) * q + alpha * p)
    of_p, of_q = (p * (p / m).log()).sum(-1), (q * (q / m).log()).sum(-1)
    return {0.0: of_p, 1.0: of_q}.get(alpha, alpha * of_p + (1 - alpha) * of_q)


@pytest.mark.parametrize("trainable_head", [False, True])
@pytest.mark.parametrize("tau", [0.7, 1.3])
@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.5, 1.0])
def test_gradcheck(alpha, tau, trainable_head):
    student, teacher, head, targets = inputs(tokens=2, vocabulary=5, hidden=3)
    teacher_head = head.clone()
    student.requires_grad_()
    head.requires_grad_(trainable_head)

    def divergence(hidden, weights):
        scores = score_tokens(hidden, teacher, weights, targets, Scoring(alpha, tau))
        if not trainable_head:
            return scores.divergence_N
        # Finite differences move the head of the teacher too; its share is taken out again by the
        # naive reference, detached so that only our own gradient is checked.
        args = hidden.detach(), weights.detach(), teacher
        both_moved = _naive_with_two_heads(*args, weights.detach(), alpha, tau)
        student_moved = _naive_with_two_heads(*args, teacher_head, alpha, tau)
        return scores.divergence_N - both_moved + student_moved

    assert torch.autograd.gradcheck(divergence, (student, head))


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("frozen", [True, False])
def test_chunk_sizes_agree(alpha, frozen):
    student, teacher, head, targets = inputs(tokens=7)
    results = []
    for chunk in (1, 3, 7, 8, None):
        hidden, weights = student.clone().requires_grad_(), head.clone().requires_grad_(not frozen)
        what = Scoring(alpha, 0.7, top_k=3, chunk_tokens=chunk)
        scores = score_tokens(hidden, teacher, weights, targets, what)
        scores.divergence_N.sum().backward()
        results.append([*scores, hidden.grad, *([] if frozen else [weights.grad])])
    for result in results[1:]:
        for one, other in zip(results[0], result, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_a_frozen_head_gets_no_gradient_and_the_teacher_none_either():
    student, teacher, head, targets = inputs()
    student.requires_grad_()
    teacher.requires_grad_()
    score_tokens(student, teacher, head, targets, Scoring(0.5)).divergence_N.sum().backward()
    assert student.grad is not None
    assert teacher.grad is None
    assert head.grad is None


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_batch_without_tokens(alpha):
    student, teacher, head, _ = inputs(tokens=0)
    student.requires_grad_()
    scores = score_tokens(student, teacher, head, torch.zeros(0, dtype=torch.long), Scoring(alpha))
    mask = torch.zeros(2, 4, dtype=torch.bool)
    loss = batch_mean(token_contributions(unflatten(scores.divergence_N, mask), mask), 2)
    loss.backward()
    assert loss.item() == 0
    assert student.grad.shape == (0, 5)


def test_a_masked_sequence_adds_nothing_but_counts_in_the_mean():
    values = torch.tensor([[1.0, 3.0], [math.nan, math.nan]], requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]])
    loss = batch_mean(token_contributions(values, mask), 2)
    loss.backward()
    assert loss.item() == 1.0
    assert values.grad.tolist() == [[0.25, 0.25], [0.0, 0.0]]


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("seed", range(5))
def test_bounds(alpha, seed):
    student, teacher, head, targets = inputs(tokens=30, seed=seed)
    student, teacher = 4 * student, 4 * teacher
    same = score_tokens(student, student, head, targets, Scoring(alpha))
    assert same.divergence_N.abs().max() < 1e-12
    values = score_tokens(student, teacher, head, targets, Scoring(alpha)).divergence_N
    assert (values >= 0).all()
    if 0 < alpha < 1:
        entropy = -(alpha * math.log(alpha) + (1 - alpha) * math.log(1 - alpha))
        assert (values <= entropy + 1e-12).all()


def test_jensen_shannon_is_symmetric_at_one_half():
    student, teacher, head, targets = inputs()
    what = Scoring(0.5, 0.9)
    torch.testing.assert_close(
        score_tokens(student, teacher, head, targets, what).divergence_N,
        score_tokens(teacher, student, head, targets, what).divergence_N,
    )


@pytest.mark.parametrize("alpha", ALPHAS)
def test_bfloat16_inputs_lose_nothing_but_their_own_rounding(alpha):
    """The same bfloat16 numbers in float64 give the reference: 1e-4 for values, 1 % for gradients
    (they are multiplied with the head in bfloat16), also where both views nearly agree."""
    student, _, head, targets = inputs(tokens=16, vocabulary=301, hidden=32)
    teacher = student + 0.02 * torch.randn_like(student)
    half = [tensor.bfloat16() for tensor in (student, teacher, head)]
    exact = [tensor.double() for tensor in half]
    half[0].requires_grad_()
    exact[0].requires_grad_()
    ours = score_tokens(*half, targets, Scoring(alpha, 0.7)).divergence_N
    reference = score_tokens(*exact, targets, Scoring(alpha, 0.7)).divergence_N
    assert ours.dtype == torch.float32
    assert (ours >= 0).all()
    torch.testing.assert_close(ours.double(), reference, rtol=1e-4, atol=1e-6)
    ours.sum().backward()
    reference.sum().backward()
    error = (half[0].grad.double() - exact[0].grad).norm() / exact[0].grad.norm()
    assert error < 0.01


def test_alternatives_are_the_likeliest_tokens():
    student, teacher, head, targets = inputs(tokens=3)
    scores = score_tokens(student, teacher, head, targets, Scoring(0.0, 0.7, top_k=4))
    expected = torch.log_softmax(student @ head.T / 0.7, -1).sort(-1, descending=True)
    assert scores.top_student_ids_NK.tolist() == expected.indices[:, :4].tolist()
    torch.testing.assert_close(scores.top_student_logprobs_NK, expected.values[:, :4])
    assert scores.top_teacher_ids_NK.shape == (3, 4)


def test_more_alternatives_than_words_gives_all_words():
    student, teacher, head, targets = inputs(tokens=2, vocabulary=5)
    scores = score_tokens(student, teacher, head, targets, Scoring(0.0, top_k=50))
    assert scores.top_student_ids_NK.shape == (2, 5)


def test_weights_carry_no_gradient_and_a_sequence_weight_cancels_only_by_weights():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    mask = torch.ones(2, 2, dtype=torch.bool)
    weights = torch.tensor([[0.5], [0.25]], requires_grad=True)
    by_tokens = token_contributions(values, mask, weights, "tokens")
    by_weights = token_contributions(values, mask, weights, "weights")
    assert not by_tokens.requires_grad
    assert batch_mean(by_tokens, 2) == pytest.approx((0.5 * 1.5 + 0.25 * 3.5) / 2)
    assert batch_mean(by_weights, 2) == pytest.approx((1.5 + 3.5) / 2)


@pytest.mark.parametrize("tau", [0.7, 1.0])
@pytest.mark.parametrize("chunk", [1, 3, None])
def test_the_sampled_logprob_and_the_divergence_learn_together(tau, chunk):
    """As the contrastive term needs it: both gradients, for hidden states and a trainable head."""
    student, teacher, head, targets = inputs()
    up, down = torch.linspace(-1, 2, 7, dtype=torch.float64), torch.linspace(3, 1, 7).double()
    ours = [student.clone().requires_grad_(), head.clone().requires_grad_()]
    theirs = [student.clone().requires_grad_(), head.clone().requires_grad_()]
    what = Scoring(0.3, tau, chunk_tokens=chunk, train_logprob=True)
    scores = score_tokens(ours[0], teacher, ours[1], targets, what)
    (scores.student_logprob_N * up + scores.divergence_N * down).sum().backward()
    logprob = torch.log_softmax(theirs[0] @ theirs[1].T / tau, -1).gather(1, targets[:, None])[:, 0]
    divergence = _naive_with_two_heads(*theirs, teacher, head.clone(), 0.3, tau)
    (logprob * up + divergence * down).sum().backward()
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine.grad, reference.grad, rtol=1e-9, atol=1e-12)


def test_cross_entropy_needs_no_teacher():
    student, _, head, targets = inputs()
    hidden = student.clone().requires_grad_()
    what = Scoring(train_divergence=False, train_logprob=True, top_k=2)
    scores = score_tokens(hidden, None, head, targets, what)
    (-scores.student_logprob_N).mean().backward()
    other = student.clone().requires_grad_()
    torch.nn.functional.cross_entropy(other @ head.T, targets).backward()
    torch.testing.assert_close(hidden.grad, other.grad, rtol=1e-10, atol=1e-12)
    assert scores.top_student_ids_NK.shape == (7, 2)
    assert scores.top_teacher_ids_NK.shape == (7, 0)
    assert not scores.divergence_N.any()


def test_a_teacher_with_a_head_of_its_own():
    student, teacher, head, targets = inputs()
    other_head = inputs(seed=9)[2]
    scores = score_tokens(student, teacher, head, targets, Scoring(0.5), other_head)
    expected = _naive_with_two_heads(student, head, teacher, other_head, 0.5, 1.0)
    torch.testing.assert_close(scores.divergence_N, expected)
