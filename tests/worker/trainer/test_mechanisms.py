"""The terms around the divergence: naive references, bounds, gradients, and two traps."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from worker.trainer import mechanisms
from worker.trainer.mechanisms import batch_mean, quantile, token_contributions, unflatten

ROWS, LENGTH, VIEWS = 3, 5, 4
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0]]).bool()


def values(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@given(st.lists(st.floats(0.001, 50), min_size=1, max_size=40), st.floats(0.01, 0.99))
def test_quantile_interpolates_as_numpy_does(numbers, q):
    expected = torch.quantile(torch.tensor(numbers, dtype=torch.float64), q)
    ours = quantile(torch.tensor(numbers, dtype=torch.float64), q)
    assert float(ours) == pytest.approx(float(expected), rel=1e-9)


def test_quantile_of_nothing_and_of_zeros_is_small_but_not_zero():
    assert float(quantile(torch.zeros(0), 0.9)) == pytest.approx(1e-6)
    assert float(quantile(torch.zeros(5), 0.9)) == pytest.approx(1e-6)


def test_token_weights_by_hand():
    logprobs = values(VIEWS, ROWS, LENGTH)
    disagreement = mechanisms.spread(logprobs, "variance", unbiased=True)
    counted = [disagreement[b, t].item() for b in range(ROWS) for t in range(LENGTH) if MASK[b, t]]
    scale = quantile(disagreement[MASK], 0.95)
    found = mechanisms.token_agreement(disagreement, MASK, scale, gamma=1.5)
    assert float(scale) == pytest.approx(
        float(torch.quantile(torch.tensor(counted, dtype=torch.float64), 0.95))
    )
    for b in range(ROWS):
        for t in range(LENGTH):
            heard = [logprobs[k, b, t].item() for k in range(VIEWS)]
            mean = sum(heard) / VIEWS
            variance = sum((one - mean) ** 2 for one in heard) / (VIEWS - 1)
            weight = 1 / (1 + 1.5 * min(variance / float(scale), 10))
            assert found.weight[b, t].item() == pytest.approx(weight if MASK[b, t] else 0)


def test_sequence_weights_by_hand_and_padding_is_not_counted():
    logprobs = values(VIEWS, ROWS, LENGTH)
    logprobs[:, ~MASK] = 1e9
    found = mechanisms.sequence_agreement(logprobs, MASK, "range", gamma=0.5)
    for b in range(ROWS):
        count = int(MASK[b].sum())
        means = [logprobs[k, b, :count].mean().item() for k in range(VIEWS)]
        distance = max(means) - min(means)
        assert found.disagreement[b, 0].item() == pytest.approx(distance)
        assert found.weight[b, 0].item() == pytest.approx(math.exp(-0.5 * distance))


def test_views_that_agree_give_weights_of_one():
    logprobs = values(1, ROWS, LENGTH).expand(VIEWS, -1, -1)
    disagreement = mechanisms.spread(logprobs, "variance", unbiased=True)
    token = mechanisms.token_agreement(disagreement, MASK, quantile(disagreement[MASK], 0.95), 1.0)
    sequence = mechanisms.sequence_agreement(logprobs, MASK, "variance", 1.0)
    assert torch.equal(token.weight, MASK.double())
    assert torch.allclose(sequence.weight, torch.ones(ROWS, 1, dtype=torch.float64))


@given(st.floats(0, 100), st.integers(0, 50))
def test_weights_stay_in_their_bounds(gamma, seed):
    logprobs = 20 * values(2, ROWS, LENGTH, seed=seed)
    disagreement = mechanisms.spread(logprobs, "range", unbiased=True)
    token = mechanisms.token_agreement(
        disagreement, MASK, quantile(disagreement[MASK], 0.95), gamma
    )
    assert torch.all((token.weight[MASK] >= 0.01) & (token.weight[MASK] <= 1))
    sequence = mechanisms.sequence_agreement(logprobs, MASK, "range", gamma)
    assert torch.all((sequence.weight >= 1e-6) & (sequence.weight <= 1))


def test_sequence_agreement_changes_the_loss_when_views_disagree():
    """Divided by the sum of weights, as the public release does, it would cancel."""
    divergence = values(ROWS, LENGTH).abs()
    weights = mechanisms.sequence_agreement(values(VIEWS, ROWS, LENGTH), MASK, "variance", 1.0)
    plain = batch_mean(token_contributions(divergence, MASK), ROWS)
    ours = batch_mean(token_contributions(divergence, MASK, weights.weight), ROWS)
    release = batch_mean(token_contributions(divergence, MASK, weights.weight, "weights"), ROWS)
    assert ours < plain - 1e-3
    assert release == pytest.approx(float(plain))


def test_clipping_bounds_the_value_and_stops_the_gradient():
    divergence = torch.tensor([[0.5, 3.0, 20.0]], dtype=torch.float64, requires_grad=True)
    clipped = mechanisms.clip(divergence, 3.0)
    clipped.sum().backward()
    assert clipped.tolist() == [[0.5, 3.0, 3.0]]
    assert divergence.grad is not None
    assert divergence.grad[0, 0] == 1
    assert divergence.grad[0, 2] == 0


def test_contrastive_by_hand_and_only_the_student_learns():
    student = torch.tensor([-1.0, -2.0, -0.1], requires_grad=True)
    teacher = torch.tensor([-1.5, -2.0, -5.0], requires_grad=True)
    negative = torch.tensor([-4.0, -2.1, -0.1], requires_grad=True)
    found = mechanisms.contrastive(student, teacher, negative, 0.5)
    assert found.tolist() == pytest.approx([0.0, 0.4, 5.4])
    found.sum().backward()
    assert teacher.grad is None
    assert negative.grad is None
    assert student.grad is not None
    assert student.grad[0] == 0


def test_feature_distance_is_a_mean_over_hidden_dimensions_in_float32():
    student = torch.tensor([[1.0, 2.0], [0.0, 4.0]], dtype=torch.bfloat16, requires_grad=True)
    teacher = torch.tensor([[1.0, 0.0], [3.0, 0.0]], dtype=torch.bfloat16)
    found = mechanisms.feature_distance(student, teacher)
    assert found.dtype == torch.float32
    assert found.tolist() == [2.0, 12.5]


def test_gradients_of_the_terms():
    s, t, n = (values(6, seed=seed).requires_grad_(seed == 0) for seed in range(3))
    assert torch.autograd.gradcheck(lambda x: mechanisms.contrastive(x, t, n, 0.5), (s,))
    hidden = values(4, 3).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: mechanisms.feature_distance(x, values(4, 3, seed=5)), (hidden,)
    )
    weights = values(ROWS, LENGTH, seed=7).abs()
    flat = values(int(MASK.sum())).requires_grad_()
    assert torch.autograd.gradcheck(
        lambda x: token_contributions(unflatten(x, MASK), MASK, weights), (flat,)
    )
