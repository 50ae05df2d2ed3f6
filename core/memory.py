"""How much memory a run will need, from the model's shape alone; no weights are loaded.

The trainer holds one copy of the base weights, the adapters, and, one after the other: while
sampling, a folded copy of the adapted weights and the key-value cache; in the student's pass, the
activations of one micro-batch and the head's chunks. The peak is what stays plus the larger of the
two. The activations are those that our layers keep for the backward pass, counted tensor by tensor
(`tests/worker/trainer/test_estimate.py` counts again on a real pass).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from core.config import RunConfig

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
CHUNK_ELEMENTS: Final = 2**23
"""Logits held at a time and per view: 32 MiB in float32."""

Device = Literal["cpu", "cuda", "mps"]


@dataclass(frozen=True)
class Decoder:
    """The numbers of a decoder that memory depends on."""

    layers: int
    hidden: int
    inner: int
    heads: int
    groups: int
    wide: int
    vocabulary: int

    @classmethod
    def of(cls, read: Any) -> Decoder:  # noqa: ANN401 - configurations differ
        """From the fields of a model's text configuration.

        Args:
            read: gives a field by its name, or None.

        Raises:
            TypeError: a number that is needed is not there.
        """
        hidden, heads = int(read("hidden_size")), int(read("num_attention_heads"))
        return cls(
            layers=int(read("num_hidden_layers")),
            hidden=hidden,
            inner=int(read("intermediate_size")),
            heads=heads,
            groups=int(read("num_key_value_heads") or heads),
            wide=int(read("head_dim") or hidden // heads),
            vocabulary=int(read("vocab_size")),
        )


@dataclass(frozen=True)
class ModelShape:
    """A model's sizes.

    Attributes:
        decoder: its layers.
        parameters: all of its weights, tied ones once.
        adapted: (inputs, outputs) of each linear layer that gets an adapter.
    """

    decoder: Decoder
    parameters: int
    adapted: tuple[tuple[int, int], ...]

    def trained(self, rank: int) -> int:
        """Parameters of an adapter."""
        return sum(rank * (inputs + outputs) for inputs, outputs in self.adapted)


@dataclass(frozen=True)
class Estimate:
    """Bytes by purpose.

    Attributes:
        base: frozen weights.
        adapters: the student's and the EMA teacher's.
        optimizer: the student's gradient and AdamW's moments.
        sampling: folded weights and key-value cache.
        activations: what a micro-batch keeps for the backward pass.
        head: logits of a chunk, and hidden states of the batch.
        runtime: libraries.
    """

    base: int
    adapters: int
    optimizer: int
    sampling: int
    activations: int
    head: int
    runtime: int

    @property
    def peak(self) -> int:
        """Largest need at any time."""
        lasting = self.base + self.adapters + self.optimizer + self.runtime
        return lasting + max(self.sampling, self.activations + self.head)


def estimate_memory(config: RunConfig, shape: ModelShape, kind: Device, width: int) -> Estimate:
    """Estimate a run on each of its devices.

    Args:
        config: the run's configuration.
        shape: the model's, with the layers that the configuration adapts.
        kind: of device.
        width: bytes of a frozen weight and of an activation.
    """
    adapted_weights = sum(inputs * outputs for inputs, outputs in shape.adapted)
    trained = shape.trained(config.model.lora.rank)
    quantized = QUANTIZED.get(config.model.quantization)
    base = shape.parameters * width
    if quantized is not None:
        base -= int(adapted_weights * (width - quantized))
    copies = 2 if config.teacher.weights == "ema" else 1
    folded = adapted_weights * width if quantized is None else 0
    return Estimate(
        base=base,
        adapters=trained * copies * FULL,
        optimizer=trained * (ADAPTER_BYTES - FULL),
        sampling=folded + _cache(config, shape.decoder, width),
        activations=_activations(config, shape.decoder, width, kind)
        + _dropout_masks(config, sum(inputs for inputs, _ in shape.adapted)),
        head=_head(config, shape.decoder, width),
        runtime=int(RUNTIME[kind]),
    )


def _cache(config: RunConfig, sizes: Decoder, width: int) -> int:
    """Keys and values of all rollouts that are sampled side by side, at their longest."""
    generation, training = config.generation, config.training
    rows = generation.batch_size or training.batch_size * training.gradient_accumulation_steps
    tokens = generation.max_prompt_length + generation.max_completion_length
    return 2 * sizes.layers * sizes.groups * sizes.wide * width * rows * tokens


def token_bytes(
    sizes: Decoder, width: int, rank: int, targets: int, length: int, *, grouped: bool
) -> int:
    """Bytes that a decoder layer keeps per token of the student's pass, without dropout.

    Args:
        sizes: the model's.
        width: bytes of an activation.
        rank: LoRA's.
        targets: adapted layers per decoder layer.
        length: tokens of a sequence.
        grouped: attention as on CPUs, which writes the scores out; else a fused kernel.
    """
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


def _activations(config: RunConfig, sizes: Decoder, width: int, kind: Device) -> int:
    training, generation = config.training, config.generation
    length = generation.max_prompt_length + generation.max_completion_length
    tokens = training.batch_size * length
    lora = config.model.lora
    per_layer = token_bytes(
        sizes, width, lora.rank, len(lora.target_modules), length, grouped=kind == "cpu"
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


def _head(config: RunConfig, sizes: Decoder, width: int) -> int:
    training = config.training
    sequences = training.batch_size * training.gradient_accumulation_steps
    tokens = config.generation.max_completion_length
    chunk = min(CHUNK_ELEMENTS, training.batch_size * tokens * sizes.vocabulary)
    logits = BUFFERS * FULL * chunk + width * chunk
    return logits + 2 * sequences * tokens * sizes.hidden * width
