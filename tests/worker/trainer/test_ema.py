"""The EMA teacher moves as the formula says, on the same base weights."""

from __future__ import annotations

import math

import pytest
import torch

from tests.worker.trainer.test_step import Setup
from worker.trainer.ema import add_ema, ema_distance, half_life, synchronize_ema
from worker.trainer.model import EMA, STUDENT


@pytest.fixture
def setup(tiny_model, records):
    made = Setup(tiny_model, records, batch_size=8, accumulation=1, noise=0.0)
    add_ema(made.network)
    return made


def logits(setup, weights: str) -> torch.Tensor:
    ids = torch.tensor([setup.examples[0].student.ids])
    with setup.network.teacher(weights):
        return setup.network.causal(input_ids=ids).logits


def move(setup) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        for index, parameter in enumerate(setup.network.trainable()):
            generator = torch.Generator().manual_seed(index)
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return {name: value.clone() for name, value in setup.network.factors(STUDENT).items()}


def test_the_teacher_starts_as_the_base_and_trains_nothing(setup):
    assert torch.equal(logits(setup, "ema"), logits(setup, "base"))
    assert not any(factor.requires_grad for factor in setup.network.factors(EMA).values())
    assert all(factor.requires_grad for factor in setup.network.factors(STUDENT).values())
    assert len(setup.network.trainable()) == len(setup.network.factors(STUDENT))


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.9])
def test_after_n_synchronisations_the_distance_follows_the_formula(setup, decay):
    """A frozen student: what is left of the distance is βⁿ. A teacher that never moves, as the
    public release's does with LoRA, would keep all of it."""
    start = {name: value.clone() for name, value in setup.network.factors(EMA).items()}
    student = move(setup)
    for count in range(1, 6):
        synchronize_ema(setup.network, decay)
        for name, factor in setup.network.factors(EMA).items():
            expected = decay**count * start[name] + (1 - decay**count) * student[name]
            torch.testing.assert_close(factor.detach(), expected, rtol=1e-5, atol=1e-6)
    assert not torch.allclose(logits(setup, "ema"), logits(setup, "base"), atol=1e-2)


def test_the_distance_metric(setup):
    assert ema_distance(setup.network) == 0
    move(setup)
    first = ema_distance(setup.network)
    synchronize_ema(setup.network, 0.75)
    assert ema_distance(setup.network) == pytest.approx(0.75 * first, rel=1e-5)
    synchronize_ema(setup.network, 0.0)
    assert ema_distance(setup.network) == pytest.approx(0, abs=1e-7)


def test_half_life():
    assert 0.9 ** (half_life(0.9, 1)) == pytest.approx(0.5)
    assert half_life(0.9, 10) == pytest.approx(10 * math.log(0.5) / math.log(0.9))
    assert half_life(0.0, 7) == 7


def test_one_copy_of_the_base_serves_all(setup):
    """Adapters are all that a second teacher adds."""
    base = {
        parameter.data_ptr()
        for name, parameter in setup.network.peft.named_parameters()
        if "lora_" not in name
    }
    before = len(base)
    with setup.network.teacher("ema"):
        inside = {
            parameter.data_ptr()
            for name, parameter in setup.network.peft.named_parameters()
            if "lora_" not in name
        }
    assert inside == base
    assert len(inside) == before
    adapters = len(setup.network.factors(STUDENT)) + len(setup.network.factors(EMA))
    assert len(list(setup.network.peft.parameters())) == before + adapters


def test_teacher_weights_are_switched_back(setup):
    move(setup)
    student = logits(setup, "student")
    for weights in ("base", "ema"):
        logits(setup, weights)
        assert torch.equal(logits(setup, "student"), student)
    with pytest.raises(RuntimeError), setup.network.teacher("base"):
        raise RuntimeError
    assert torch.equal(logits(setup, "student"), student)
