"""How much memory a run will need, from the model's configuration alone; no weights are loaded.

The trainer holds one copy of the base weights, the adapters, and, one after the other: while
sampling, a folded copy of the adapted weights and the key-value cache; in the student's pass, the
activations of one micro-batch and the head's chunks. The peak is what stays plus the larger of the
two. The activations are those that our layers keep for the backward pass, counted tensor by tensor
(`tests/worker/trainer/test_estimate.py` counts again on a real pass).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import torch

from core.config import RunConfig
from worker.trainer import device as devices
from worker.trainer.model import load_model_config, skeleton
from worker.trainer.objective import CHUNK_ELEMENTS

FULL: Final = 4
"""Bytes of a float32."""
ADAPTER_BYTES: Final = 4 * FULL
"""A trained parameter: itself, its gradient, and AdamW's two moments."""
QUANTIZED: Final = {"int8": 1.06, "nf4": 0.53}
"""Bytes per weight, scales included."""
RUNTIME: Final = {"cpu": 0.35e9, "cuda": 0.6e9, "mps": 0.5e9}
"""What Python, the libraries and, on a GPU, its context take."""
BUFFERS: Final = 4
"""Chunks of logits at a time: logarithms and probabilities of student and teacher."""


@dataclass(frozen=True)
class Estimate:
    """Bytes by purpose.

    Attributes:
        base: frozen weights.
        adapters: the student's with its gradient and moments, and the EMA teacher's.
        sampling: folded weights and key-value cache.
        activations: what a micro-batch keeps for the backward pass.
        head: logits of a chunk, and hidden states of the batch.
        runtime: libraries.
    """

    base: int
    adapters: int
    sampling: int
    activations: int
    head: int
    runtime: int

    @property
    def peak(self) -> int:
        """Largest need at any time."""
        lasting = self.base + self.adapters + self.runtime
        return lasting + max(self.sampling, self.activations + self.head)


def estimate(config: RunConfig, device: str | None = None) -> Estimate:
    """Estimate a run.

    Args:
        config: the run's configuration.
        device: `cpu`, `cuda` or `mps`; None for what this machine would take.

    Raises:
        StudioError: the model's configuration cannot be had.
    """
    chosen = devices.choose_device(config.training.device) if device is None else device
    kind = chosen if isinstance(chosen, str) else chosen.type
    width = _width(config, kind)
    model = load_model_config(config.model)
    shape = model.get_text_config()
    modules = skeleton(model)
    adapted = [
        module
        for name, module in modules.named_modules()
        if name.rsplit(".", 1)[-1] in config.model.lora.target_modules
        and isinstance(module, torch.nn.Linear)
    ]
    parameters = sum(parameter.numel() for parameter in modules.parameters())
    adapted_weights = sum(module.weight.numel() for module in adapted)
    rank = config.model.lora.rank
    trained = sum(rank * (module.in_features + module.out_features) for module in adapted)
    quantized = QUANTIZED.get(config.model.quantization)
    base = parameters * width
    if quantized is not None:
        base -= int(adapted_weights * (width - quantized))
    copies = 1 if config.teacher.weights == "ema" else 0
    folded = adapted_weights * width if quantized is None else 0
    return Estimate(
        base=base,
        adapters=trained * (ADAPTER_BYTES + copies * FULL),
        sampling=folded + _cache(config, shape, width),
        activations=_activations(config, shape, width, kind)
        + _dropout_masks(config, sum(module.in_features for module in adapted)),
        head=_head(config, shape, width),
        runtime=int(RUNTIME[kind]),
    )


def _width(config: RunConfig, kind: str) -> int:
    """Bytes of a frozen weight and of an activation."""
    if config.model.dtype != "auto":
        return 2 if config.model.dtype == "bfloat16" else FULL
    here = devices.choose_dtype("auto", torch.device("cpu")) if kind == "cpu" else torch.bfloat16
    return here.itemsize


class _Sizes:
    """The numbers of a decoder that memory depends on."""

    def __init__(self, shape: Any) -> None:  # noqa: ANN401 - configurations differ
        self.layers = int(shape.num_hidden_layers)
        self.hidden = int(shape.hidden_size)
        self.inner = int(shape.intermediate_size)
        self.heads = int(shape.num_attention_heads)
        self.groups = int(getattr(shape, "num_key_value_heads", None) or self.heads)
        self.wide = int(getattr(shape, "head_dim", None) or self.hidden // self.heads)


def _cache(config: RunConfig, shape: Any, width: int) -> int:  # noqa: ANN401
    """Keys and values of all rollouts that are sampled side by side, at their longest."""
    sizes, generation = _Sizes(shape), config.generation
    training = config.training
    rows = generation.batch_size or training.batch_size * training.gradient_accumulation_steps
    tokens = generation.max_prompt_length + generation.max_completion_length
    return 2 * sizes.layers * sizes.groups * sizes.wide * width * rows * tokens


def token_bytes(
    shape: Any,  # noqa: ANN401
    width: int,
    rank: int,
    targets: int,
    length: int,
    *,
    grouped: bool,
) -> int:
    """Bytes that a decoder layer keeps per token of the student's pass, without dropout.

    Args:
        shape: the model's text configuration.
        width: bytes of an activation.
        rank: LoRA's.
        targets: adapted layers per decoder layer.
        length: tokens of a sequence.
        grouped: attention as on CPUs, which writes the scores out; else a fused kernel.
    """
    sizes = _Sizes(shape)
    attended = sizes.heads * sizes.wide
    # Inputs of the adapted layers, each once however many layers read it, and both norms' inputs.
    kept = width * (2 * sizes.hidden + attended) + 2 * FULL * sizes.hidden
    kept += 4 * width * sizes.inner + targets * rank * width
    keys = sizes.groups * sizes.wide
    if grouped:
        kept += width * (attended + 2 * keys + sizes.heads * length)
    else:
        kept += width * (2 * attended + 2 * keys)
    return kept


def _activations(config: RunConfig, shape: Any, width: int, kind: str) -> int:  # noqa: ANN401
    sizes, training, generation = _Sizes(shape), config.training, config.generation
    length = generation.max_prompt_length + generation.max_completion_length
    tokens = training.batch_size * length
    lora = config.model.lora
    per_layer = token_bytes(
        shape, width, lora.rank, len(lora.target_modules), length, grouped=kind == "cpu"
    )
    if training.gradient_checkpointing:
        return tokens * (sizes.layers * sizes.hidden * width + per_layer)
    return tokens * sizes.layers * per_layer


def _dropout_masks(config: RunConfig, inputs: int) -> int:
    """A byte per input of an adapted layer; kept for one layer at a time with checkpointing."""
    training, generation = config.training, config.generation
    if not config.model.lora.dropout or training.gradient_checkpointing:
        return 0
    length = generation.max_prompt_length + generation.max_completion_length
    return training.batch_size * length * inputs


def _head(config: RunConfig, shape: Any, width: int) -> int:  # noqa: ANN401
    vocabulary, hidden = int(shape.vocab_size), int(shape.hidden_size)
    training = config.training
    sequences = training.batch_size * training.gradient_accumulation_steps
    tokens = config.generation.max_completion_length
    chunk = min(CHUNK_ELEMENTS, training.batch_size * tokens * vocabulary)
    logits = BUFFERS * FULL * chunk + width * chunk
    return logits + 2 * sequences * tokens * hidden * width


def describe(config: RunConfig, found: Estimate) -> str:
    """Lines for people."""
    rows = [
        ("Frozen weights", found.base),
        ("Adapters, gradients, moments", found.adapters),
        ("Sampling: folded weights, cache", found.sampling),
        ("Student's pass: activations", found.activations),
        ("Head: logits of a chunk", found.head),
        ("Libraries", found.runtime),
        ("Peak", found.peak),
    ]
    devices = config.training.devices
    where = f", on each of {devices} devices" if devices > 1 else ""
    lines = [
        f"Memory of a run of {config.model.name}, at the longest prompts and completions{where}:"
    ]
    return "\n".join([*lines, *(f"  {name:<32}{size / 1e9:>9.2f} GB" for name, size in rows)])
