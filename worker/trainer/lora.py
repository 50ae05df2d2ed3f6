"""Linear layers with low-rank adapters: lean in the student's pass, folded while sampling.

peft creates, saves and loads the adapters; only the arithmetic is ours. peft casts the input to the
adapter's float32 and keeps copies of it for the backward pass. Here the two small products are in
the activations' format and the input, which neighbouring layers share, is kept once.
"""

# ruff: noqa: N803, N806 - capital letters in tensor names are axes or LoRA's factors
# ruff: noqa: ANN401 - peft's and autograd's signatures

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from peft.tuners.lora import Linear as PeftLinear
from torch import Tensor, nn

from worker.trainer.randomness import derive_seed

BELOW_BFLOAT16: Final = 0xFFFF
"""The bits of a float32 that bfloat16 lacks."""


class FoldedGroup:
    """Folded layers that read the same input, as one product: q, k and v; gate and up.

    The first of them to be called computes for all. Sampling is bound by the number and the size of
    such small products.
    """

    def __init__(self, layers: Sequence[LoraLinear], weights: Sequence[Tensor]) -> None:
        self._weight = torch.cat(list(weights)) if len(weights) > 1 else weights[0]
        biases: list[Any] = [layer.get_base_layer().bias for layer in layers]
        self._bias = torch.cat(biases) if biases[0] is not None else None
        self._sizes = [len(weight) for weight in weights]
        self._layers = list(layers)
        self._input: Tensor | None = None
        self._outputs: dict[int, Tensor] = {}

    def output(self, layer: LoraLinear, x: Tensor) -> Tensor:
        """The layer's output for `x`."""
        if self._input is not x or id(layer) not in self._outputs:
            parts = torch.split(nn.functional.linear(x, self._weight, self._bias), self._sizes, -1)
            self._input = x
            self._outputs = {id(one): part for one, part in zip(self._layers, parts, strict=True)}
        result = self._outputs.pop(id(layer))
        if not self._outputs:
            self._input = None
        return result


class LoraLinear(PeftLinear):
    """A linear layer with adapters, of which one at most is active.

    Attributes:
        folded: while sampling, weights with an adapter added that stand in for base and adapter.
    """

    folded: FoldedGroup | None = None

    def forward(self, x: Tensor, *_arguments: Any, **_options: Any) -> Tensor:
        """X · Wᵀ + s · dropout(x) · Aᵀ · Bᵀ."""
        base: Any = self.get_base_layer()
        if self.folded is not None:
            return self.folded.output(self, x)
        if self.disable_adapters:
            plain: Tensor = base(x)
            return plain
        name = self.active_adapters[0]
        A, B, scale = self.factors(name)
        dropout = getattr(self.lora_dropout[name], "p", 0.0) if self.training else 0.0
        low_rank = A, B, scale, dropout
        result: Tensor
        if type(base) is nn.Linear and not base.weight.requires_grad:
            result = _Adapted.apply(x, base.weight, base.bias, *low_rank)  # type: ignore[no-untyped-call]
        else:
            result = base(x) + _Adapted.apply(x, None, None, *low_rank)  # type: ignore[no-untyped-call]
        return result

    def factors(self, name: str) -> tuple[Tensor, Tensor, float]:
        """A (r, in), B (out, r) and the scale alpha / r of an adapter."""
        A: Any = self.lora_A[name].weight
        B: Any = self.lora_B[name].weight
        return A, B, float(self.scaling[name])

    @torch.no_grad()
    def folded_weight(self, name: str, place: int) -> Tensor:
        """W + s · B · A in W's format, as a new tensor.

        Rounding to the nearest bfloat16 would return W wherever the update is smaller than half a
        step of W's grid, that is nearly everywhere early in training. The sum is therefore dithered
        before it is cut off, with noise that is fixed for the layer's `place` in the model: over
        the elements of a layer the update is kept on average, and the same adapter always gives
        the same weights.
        """
        base: Any = self.get_base_layer()
        weight: Tensor = base.weight
        A, B, scale = self.factors(name)
        total = torch.addmm(weight.float(), B.float(), A.float(), alpha=scale)
        if weight.dtype != torch.bfloat16:
            return total.to(weight.dtype)
        bits = total.view(torch.int32)
        bits.add_(_noise(bits.numel(), place, bits.device).view_as(bits))
        bits.bitwise_and_(~BELOW_BFLOAT16)
        return total.to(torch.bfloat16)


_NOISE: Final[dict[torch.device, Tensor]] = {}


def _noise(count: int, place: int, device: torch.device) -> Tensor:
    """`count` integers below 2¹⁶; other places in the model get other stretches of them."""
    shift = place * 7919 % 65_521
    known = _NOISE.get(device)
    if known is None or len(known) < count + 65_521:
        generator = torch.Generator().manual_seed(derive_seed(0, "dither"))
        size = (count + 65_521,)
        known = torch.randint(0, 1 << 16, size, generator=generator, dtype=torch.int32).to(device)
        _NOISE[device] = known
    return known[shift : shift + count]


class _Adapted(torch.autograd.Function):
    """x · Wᵀ + b + s · dropout(x) · Aᵀ · Bᵀ with W and b frozen (or absent), in one.

    Keeps x, which costs nothing where its producer or a neighbour keeps it anyway.
    """

    @staticmethod
    def forward(  # noqa: PLR0917 - autograd passes everything by position
        ctx: Any,
        x: Tensor,
        W: Tensor | None,
        bias: Tensor | None,
        A: Tensor,
        B: Tensor,
        scale: float,
        dropout: float,
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        kept = torch.rand_like(flat, dtype=torch.float32) >= dropout if dropout else None
        inner = _dropped(flat, kept, dropout) @ A.to(x.dtype).T
        if W is None:
            result = (inner * scale) @ B.to(x.dtype).T
        else:
            result = nn.functional.linear(flat, W, bias)
            result.addmm_(inner, B.to(x.dtype).T, alpha=scale)
        ctx.save_for_backward(flat, W, A, B, inner, kept)
        ctx.scale, ctx.dropout = scale, dropout
        return result.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        flat, W, A, B, inner, kept = ctx.saved_tensors
        grad = grads[0].reshape(-1, grads[0].shape[-1])
        grad_inner = (grad @ B.to(grad.dtype)).mul_(ctx.scale)
        grad_A = grad_B = grad_x = None
        if ctx.needs_input_grad[4]:
            grad_B = (grad.T @ inner).to(B.dtype).mul_(ctx.scale)
        if ctx.needs_input_grad[3]:
            grad_A = (grad_inner.T @ _dropped(flat, kept, ctx.dropout)).to(A.dtype)
        if ctx.needs_input_grad[0]:
            if W is not None and kept is None:
                grad_x = (grad @ W).addmm_(grad_inner, A.to(grad.dtype))
            else:
                grad_x = _dropped(grad_inner @ A.to(grad.dtype), kept, ctx.dropout)
                grad_x = grad_x if W is None else grad_x + grad @ W
            grad_x = grad_x.view(*grads[0].shape[:-1], -1)
        return grad_x, None, None, grad_A, grad_B, None, None


def _dropped(values: Tensor, kept: Tensor | None, dropout: float) -> Tensor:
    return values if kept is None else values * kept.to(values.dtype) / (1 - dropout)
