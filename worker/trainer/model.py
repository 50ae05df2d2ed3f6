"""The network: one copy of frozen base weights, the student's adapter on it, and its head.

Backbone and head are used apart, so that only completion tokens go through the vocabulary.
"""

# ruff: noqa: N802, N803 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import peft
import torch
from peft import get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.pytorch_utils import Conv1D

from core.config import LoraConfig, ModelConfig, RunConfig
from worker.trainer import attention
from worker.trainer.chat import model_not_loaded
from worker.trainer.failures import failure, mistake
from worker.trainer.hub import locate_model
from worker.trainer.lora import FoldedGroup, LoraLinear
from worker.trainer.prefixes import Before, can_share
from worker.trainer.quantization import quantized
from worker.trainer.randomness import seeded

LOGIT_CHANGES: Final = ("final_logit_softcapping", "logits_scaling", "logit_scale")
"""Configuration fields of models whose logits are not simply hidden · headᵀ."""


STUDENT: Final = "default"
"""Name of the student's adapter; peft's own default, so that any tool finds it."""

SAME_INPUT: Final = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Names of sibling layers that transformers' decoders call with one and the same input."""

EMA: Final = "ema"
"""Name of the adapter that holds the moving average of the student's."""


ADAPTERS: Final = {"base": None, "student": STUDENT, "ema": EMA}
"""Whose weights, to the adapter that makes them."""


@dataclass(frozen=True)
class Network:
    """Student and all its teachers: adapters on one copy of the base weights.

    Attributes:
        peft: the model with its adapters; saves them.
        causal: the same model as transformers knows it.
        layers: the layers that have adapters.
        end_ids: tokens that end a completion.
        pad_id: filler where there is no token; its value never matters.
        shares_prefixes: whether what prompts begin with may be computed apart from the rest.
    """

    peft: Any
    causal: Any
    layers: tuple[LoraLayer, ...]
    device: torch.device
    end_ids: tuple[int, ...]
    pad_id: int
    shares_prefixes: bool = False

    @property
    def head_VH(self) -> Tensor:
        """Output weights (V, H)."""
        weight: Tensor = self.causal.get_output_embeddings().weight
        return weight

    def hidden(self, ids_BL: Tensor, before: Before | None = None) -> Tensor:
        """Final hidden states (B, L, H), after the model's last norm.

        Rows are padded on the right: attention looks only back, so padding needs no mask. With
        `before`, each row goes on behind a prefix that was computed before.
        """
        how = {"use_cache": False} if before is None else before.inputs(ids_BL.shape[1])
        output = self.causal.base_model(input_ids=ids_BL, **how)
        states: Tensor = output.last_hidden_state
        return states

    def padded(self, rows: Sequence[list[int]]) -> Tensor:
        """Token ids side by side, padded on the right."""
        width = max(map(len, rows))
        filled = [row + [self.pad_id] * (width - len(row)) for row in rows]
        return torch.tensor(filled, device=self.device)

    @contextmanager
    def teacher(self, weights: str) -> Iterator[None]:
        """Compute as a teacher: no gradient, no dropout, with the named weights.

        Args:
            weights: `base` (no adapter), `student` or `ema`.
        """
        adapter = ADAPTERS[weights]
        was_training = self.peft.training
        self.peft.eval()
        try:
            with torch.no_grad(), self._using(adapter):
                yield
        finally:
            self.peft.train(was_training)

    @contextmanager
    def _using(self, adapter: str | None) -> Iterator[None]:
        """Switch adapters without touching which parameters train, as peft's own switch would."""
        self._switch(adapter)
        try:
            yield
        finally:
            self._switch(STUDENT)

    def _switch(self, adapter: str | None) -> None:
        for layer in self.layers:
            layer._disable_adapters = adapter is None  # noqa: SLF001
            if adapter is not None:
                layer._active_adapter = [adapter]  # noqa: SLF001

    @contextmanager
    def folded(self, weights: str = "student") -> Iterator[None]:
        """Sample with an adapter added to copies of the weights; the base stays.

        The copies are dropped at the end. Layers of other kinds than `LoraLinear`, and quantized
        ones, go on with base and adapter apart.
        """
        foldable = [
            layer
            for layer in self.layers
            if isinstance(layer, LoraLinear) and base_weight(layer).is_floating_point()
        ]
        try:
            for group in self._siblings(foldable):
                folded = FoldedGroup(
                    group, [_sum(layer, weights, foldable.index(layer)) for layer in group]
                )
                for layer in group:
                    layer.folded = folded
            yield
        finally:
            for layer in foldable:
                layer.folded = None

    def _siblings(self, layers: Sequence[LoraLinear]) -> list[list[LoraLinear]]:
        """Layers that read the same input side by side; every other layer alone."""
        place = {id(layer): index for index, layer in enumerate(layers)}
        groups: list[list[LoraLinear]] = []
        for parent in self.causal.modules():
            children = {
                name: child for name, child in parent.named_children() if id(child) in place
            }
            together = [
                [children[name] for name in names]
                for names in SAME_INPUT
                if all(name in children for name in names) and _joinable(children, names)
            ]
            joined = {id(layer) for group in together for layer in group}
            alone = [[child] for child in children.values() if id(child) not in joined]
            groups += [*together, *alone]
        return groups

    def trainable(self) -> list[nn.Parameter]:
        """The student's factors, in a fixed order."""
        return [parameter for parameter in self.peft.parameters() if parameter.requires_grad]

    def factors(self, adapter: str) -> dict[str, Tensor]:
        """An adapter's factors by name, in a fixed order; they share memory with the model."""
        part = f".{adapter}."
        return {
            name.replace(part, "."): parameter
            for name, parameter in self.peft.named_parameters()
            if part in name and "lora_" in name
        }

    def synchronize(self) -> None:
        """Wait for the GPU, so that a clock read next is honest."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def _joinable(children: Mapping[str, LoraLinear], names: Sequence[str]) -> bool:
    """Whether all or none have a bias."""
    return len({children[name].get_base_layer().bias is None for name in names}) == 1


def _sum(layer: LoraLinear, weights: str, place: int) -> Tensor:
    """A layer's weight as a student or a teacher has it."""
    adapter = ADAPTERS[weights]
    return base_weight(layer) if adapter is None else layer.folded_weight(adapter, place)


def base_weight(layer: LoraLayer) -> Tensor:
    """The frozen weight below a layer's adapters."""
    base: Any = layer.get_base_layer()
    weight: Tensor = base.weight
    return weight


def load_network(
    model: ModelConfig,
    tokenizer: Any,
    device: torch.device,
    dtype: torch.dtype,
    seed: int,
) -> Network:
    """Load the base weights, add the student's adapter, and check that they fit this trainer.

    Raises:
        StudioError: `model_not_found`, `model_invalid`, `model_unsupported`,
            `lora_targets_unknown`, `quantization_unavailable` or `out_of_memory`.
    """
    config = load_model_config(model)
    source = locate_model(model)
    try:
        causal: Any = AutoModelForCausalLM.from_pretrained(
            source.location,
            config=config,
            revision=model.revision or "main",
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            **quantized(model, device, dtype),
        )
        if model.quantization == "none":
            causal.to(device)
    except torch.OutOfMemoryError as error:
        raise out_of_memory("loading the model") from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise model_not_loaded("model", source, error) from error
    if device.type == "cpu" and causal._can_set_attn_implementation():  # noqa: SLF001
        causal.set_attn_implementation(attention.NAME)
    end_ids = _end_ids(causal, tokenizer, model)
    # Nothing of the repository's generation_config.json (penalties, top-k) may shape the rollouts.
    causal.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    causal.requires_grad_(False)  # noqa: FBT003
    check_targets(causal, model.lora)
    with seeded(seed, device):
        wrapped = add_adapter(causal, model)
    layers = tuple(module for module in wrapped.modules() if isinstance(module, LoraLayer))
    pad_id = _pad_id(tokenizer, end_ids)
    network = Network(wrapped, causal, layers, device, end_ids, pad_id)
    _check_head(network, model)
    return replace(network, shares_prefixes=can_share(network))


def load_model_config(model: ModelConfig) -> Any:
    """Load the model's configuration and refuse what would give wrong numbers.

    Raises:
        StudioError: `model_not_found`, `model_invalid` or `model_unsupported`.
    """
    source = locate_model(model)
    try:
        config = AutoConfig.from_pretrained(
            source.location, revision=model.revision or "main", trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise model_not_loaded("configuration", source, error) from error
    text = config.get_text_config()
    for name in LOGIT_CHANGES:
        if getattr(text, name, None) not in (None, 1, 1.0):
            raise _unsupported(model, f"it changes its logits ({name})")
    if getattr(config, "is_encoder_decoder", False):
        raise _unsupported(model, "it is an encoder-decoder")
    return config


def context_length(config: Any) -> int | None:
    """Longest sequence the model knows positions for, or None where it does not say."""
    length = getattr(config.get_text_config(), "max_position_embeddings", None)
    return length if isinstance(length, int) and length > 0 else None


def skeleton(config: Any) -> nn.Module:
    """The model's modules without weights, to check names against."""
    with torch.device("meta"):
        module: nn.Module = AutoModelForCausalLM.from_config(  # type: ignore[no-untyped-call]
            config
        )
    return module


def check_targets(causal: Any, lora: LoraConfig) -> None:
    """Raise `lora_targets_unknown` unless every target names a linear layer below the head."""
    head = causal.get_output_embeddings()
    linear = [
        name
        for name, module in causal.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head
    ]
    for target in lora.target_modules:
        if not any(name == target or name.endswith(f".{target}") for name in linear):
            known = sorted({name.rsplit(".", 1)[-1] for name in linear})
            raise mistake(
                "lora_targets_unknown",
                f"The model has no linear layer {target!r} that could get an adapter.",
                f"Choose among: {', '.join(known)}.",
                field="model.lora.target_modules",
            )


def lora_config(model: ModelConfig) -> peft.LoraConfig:
    """The adapter's shape as peft wants it, with our own arithmetic."""
    lora = model.lora
    # peft's annotation says int, its arithmetic takes any number.
    alpha: Any = int(lora.alpha) if lora.alpha.is_integer() else lora.alpha
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        base_model_name_or_path=model.name,
        revision=model.revision,
        r=lora.rank,
        lora_alpha=alpha,
        lora_dropout=lora.dropout,
        target_modules=list(lora.target_modules),
    )
    config._register_custom_module({nn.Linear: LoraLinear})  # noqa: SLF001 - peft's way in
    return config


def add_adapter(causal: Any, model: ModelConfig) -> Any:
    """Wrap the model with a new LoRA adapter in float32 (B = 0: it starts as the base)."""
    config = lora_config(model)
    with warnings.catch_warnings():
        # peft asks for an attribute that transformers renames; neither concerns the run.
        warnings.simplefilter("ignore", FutureWarning)
        # That the name is a local folder's is what the line below mends.
        warnings.filterwarnings("ignore", "The PEFT config's `base_model_name_or_path`")
        wrapped = get_peft_model(causal, config)
    # peft puts the local folder here; whoever loads the adapter elsewhere needs the model's name.
    config.base_model_name_or_path = model.name
    return wrapped


def out_of_memory(doing: str, config: RunConfig | None = None) -> Exception:
    """The failure to raise when the device's memory ran out, with the next smaller setting."""
    remedy, field = _smaller(config)
    return failure(
        "out_of_memory", f"The device's memory ran out while {doing}.", remedy, field=field
    )


KEPT: Final = "The last checkpoint, if one was written, is kept."


def _smaller(config: RunConfig | None) -> tuple[str, str]:
    """What to change first: the setting that costs least in what is learned, and its field."""
    if config is None:
        return "Choose a smaller model, or set model.quantization to nf4.", "model.name"
    training, longest = config.training, config.generation.max_completion_length
    if training.batch_size > 1:
        half = training.batch_size // 2
        more = training.gradient_accumulation_steps * training.batch_size // half
        remedy = (
            f"Set training.batch_size to {half} and training.gradient_accumulation_steps to "
            f"{more}: the same steps with about half the memory for activations. {KEPT}"
        )
        return remedy, "training.batch_size"
    if not training.gradient_checkpointing:
        remedy = (
            f"Set training.gradient_checkpointing to true: slower, for much less memory. {KEPT}"
        )
        return remedy, "training.gradient_checkpointing"
    remedy = (
        f"Set generation.max_completion_length to {max(1, longest // 2)}, lower model.lora.rank, "
        f"or choose a smaller model. {KEPT}"
    )
    return remedy, "generation.max_completion_length"


def _end_ids(causal: Any, tokenizer: Any, model: ModelConfig) -> tuple[int, ...]:
    """The tokenizer's end token first, then the others that the model's files name."""
    stated = causal.generation_config.eos_token_id
    more = stated if isinstance(stated, list) else [stated]
    ids = dict.fromkeys(end for end in (tokenizer.eos_token_id, *more) if end is not None)
    if not ids:
        raise _unsupported(model, "it names no end token")
    return tuple(ids)


def _pad_id(tokenizer: Any, end_ids: tuple[int, ...]) -> int:
    return end_ids[0] if tokenizer.pad_token_id is None else int(tokenizer.pad_token_id)


@torch.no_grad()
def _check_head(network: Network, model: ModelConfig) -> None:
    """Refuse models whose logits are not hidden · headᵀ, or that look at padding.

    Both would be trained on wrong numbers without a word.
    """
    network.peft.eval()
    head = network.causal.get_output_embeddings()
    if not isinstance(head, nn.Linear) or head.bias is not None:
        raise _unsupported(model, "its output layer is not a plain linear map")
    ids = torch.arange(8, device=network.device)[None] % head.weight.shape[0]
    padded = torch.cat([ids, ids.new_full((1, 3), network.pad_id)], dim=1)
    ours = network.hidden(padded)[:, : ids.shape[1]].float() @ head.weight.float().T
    theirs = network.causal(input_ids=ids, use_cache=False).logits.float()
    # Their logits are rounded to the weights' format; ours are not.
    allowed = 0.05 if head.weight.dtype == torch.bfloat16 else 1e-3
    if (ours - theirs).norm() > allowed * theirs.norm():
        raise _unsupported(model, "its logits are not the product of hidden states and head")


def _unsupported(model: ModelConfig, reason: str) -> Exception:
    return mistake(
        "model_unsupported",
        f"The model {model.name} is not supported: {reason}.",
        "Choose a decoder-only model such as Qwen2.5, Llama 3 or SmolLM2.",
        field="model.name",
    )
