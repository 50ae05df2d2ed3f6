"""Adapters: the arithmetic against peft's own, dropout, folding, and the base that never moves."""

from __future__ import annotations

import peft
import pytest
import torch
from torch import nn

from worker.trainer.lora import LoraLinear


class Block(nn.Module):
    def __init__(self, dtype: torch.dtype, *, bias: bool) -> None:
        super().__init__()
        self.q_proj = nn.Linear(12, 8, bias=bias, dtype=dtype)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.q_proj(x)


def adapted(dtype=torch.float32, *, ours: bool, bias: bool = True, dropout: float = 0.0):
    torch.manual_seed(0)
    config = peft.LoraConfig(
        r=4, lora_alpha=8, lora_dropout=dropout, target_modules=["q_proj"], init_lora_weights=False
    )
    if ours:
        config._register_custom_module({nn.Linear: LoraLinear})
    torch.manual_seed(1)
    block = Block(dtype, bias=bias)
    block.requires_grad_(False)
    torch.manual_seed(2)
    return peft.get_peft_model(block, config)


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_those_of_peft(bias):
    x = torch.randn(2, 5, 12)
    results = []
    for ours in (True, False):
        model = adapted(ours=ours, bias=bias)
        assert isinstance(model.base_model.model.q_proj, LoraLinear) is ours
        inputs = x.clone().requires_grad_()
        output = model(inputs)
        output.square().sum().backward()
        grads = [parameter.grad for parameter in model.parameters() if parameter.requires_grad]
        results.append([output.detach(), inputs.grad, *grads])
    for mine, theirs in zip(*results, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dropout", [0.0, 0.4])
def test_gradcheck_in_float64(dropout):
    layer = adapted(torch.float64, ours=True, dropout=dropout).base_model.model.q_proj
    layer.double()
    layer.train()
    x = torch.randn(3, 12, dtype=torch.float64, requires_grad=True)
    A, B, _ = layer.factors("default")

    def run(x, A, B):
        torch.manual_seed(5)
        return layer(x)

    assert torch.autograd.gradcheck(run, (x, A, B))


def test_dropout_keeps_the_mean_and_rests_in_evaluation():
    layer = adapted(ours=True, dropout=0.5).base_model.model.q_proj
    x = torch.randn(1, 12)
    layer.eval()
    exact = layer(x)
    layer.train()
    drawn = torch.stack([layer(x) for _ in range(3000)]).detach()
    assert not torch.equal(drawn[0], drawn[1])
    torch.testing.assert_close(drawn.mean(0), exact.detach(), rtol=0.1, atol=0.1)


def test_without_a_gradient_the_values_are_the_same():
    layer = adapted(ours=True).base_model.model.q_proj
    x = torch.randn(4, 12)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), layer(x.requires_grad_()).detach())


def test_folding_in_float32_gives_the_same_layer():
    layer = adapted(ours=True).base_model.model.q_proj
    A, B, scale = layer.factors("default")
    expected = layer.get_base_layer().weight + scale * B @ A
    torch.testing.assert_close(layer.folded_weight("default", 0), expected)


def test_folding_in_bfloat16_keeps_an_update_that_rounding_would_lose():
    torch.manual_seed(0)
    config = peft.LoraConfig(r=8, lora_alpha=8, target_modules=["q_proj"], init_lora_weights=False)
    config._register_custom_module({nn.Linear: LoraLinear})

    class Wide(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q_proj = nn.Linear(512, 512, bias=False, dtype=torch.bfloat16)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.q_proj(x)

    layer = peft.get_peft_model(Wide(), config).base_model.model.q_proj
    A, B, scale = layer.factors("default")
    with torch.no_grad():
        layer.get_base_layer().weight.normal_(0, 0.05)
        B.fill_(1e-3)
        A.fill_(1e-3)  # every element moves by 8e-6, a tenth of the grid's usual step
    weight = layer.get_base_layer().weight
    change = (scale * B @ A).detach()
    update = change.mean()
    nearest = (weight.float() + change).to(torch.bfloat16)
    ours = layer.folded_weight("default", 3)
    lost = float((nearest.float() - weight.float()).mean() / update)
    kept = float((ours.float() - weight.float()).mean() / update)
    assert abs(lost) < 0.35
    assert kept == pytest.approx(1, abs=0.15)
    assert torch.equal(ours, layer.folded_weight("default", 3))
    with torch.no_grad():
        B.zero_()
    assert torch.equal(layer.folded_weight("default", 3), weight)
