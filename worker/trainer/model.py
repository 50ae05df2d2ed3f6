"""The network: one copy of frozen base weights, the student's adapter on it, and its head.

Backbone and head are used apart, so that only completion tokens go through the vocabulary.
"""

# ruff: noqa: N802, N803 - capital letters in tensor names are axes
# ruff: noqa: ANN401 - the classes of models and tokenizers differ from model to model

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

import peft
import torch
from peft import get_peft_model
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig
from transformers.pytorch_utils import Conv1D

from core.config import LoraConfig, ModelConfig
from worker.trainer.chat import model_not_loaded
from worker.trainer.failures import failure, mistake
from worker.trainer.hub import locate_model
from worker.trainer.randomness import seeded

LOGIT_CHANGES: Final = ("final_logit_softcapping", "logits_scaling", "logit_scale")
"""Configuration fields of models whose logits are not simply hidden · headᵀ."""


@dataclass(frozen=True)
class Network:
    """Student and teacher in one.

    Attributes:
        peft: the model with its adapter; saves it and switches it off.
        causal: the same model as transformers knows it; generates.
        end_ids: tokens that end a completion.
        pad_id: filler where there is no token; its value never matters.
    """

    peft: Any
    causal: Any
    device: torch.device
    end_ids: tuple[int, ...]
    pad_id: int

    @property
    def head_VH(self) -> Tensor:
        """Output weights (V, H)."""
        weight: Tensor = self.causal.get_output_embeddings().weight
        return weight

    def hidden(self, ids_BL: Tensor) -> Tensor:
        """Final hidden states (B, L, H), after the model's last norm.

        Rows are padded on the right: attention looks only back, so padding needs no mask.
        """
        output = self.causal.base_model(input_ids=ids_BL, use_cache=False)
        states: Tensor = output.last_hidden_state
        return states

    @contextmanager
    def teacher(self, *, adapter: bool) -> Iterator[None]:
        """Compute as a teacher: no gradient, no dropout; without the adapter unless asked."""
        was_training = self.peft.training
        self.peft.eval()
        with torch.no_grad(), nullcontext() if adapter else self.peft.disable_adapter():
            yield
        self.peft.train(was_training)

    def trainable(self) -> list[nn.Parameter]:
        """The adapter's factors, in a fixed order."""
        return [parameter for parameter in self.peft.parameters() if parameter.requires_grad]

    def synchronize(self) -> None:
        """Wait for the GPU, so that a clock read next is honest."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


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
            `lora_targets_unknown`, or `out_of_memory`.
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
        )
        causal.to(device)
    except torch.OutOfMemoryError as error:
        raise out_of_memory("loading the model") from error
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise model_not_loaded("model", source, error) from error
    end_ids = _end_ids(causal, tokenizer, model)
    # Nothing of the repository's generation_config.json (penalties, top-k) may shape the rollouts.
    causal.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
    causal.requires_grad_(False)  # noqa: FBT003
    check_targets(causal, model.lora)
    with seeded(seed, device):
        wrapped = add_adapter(causal, model)
    network = Network(wrapped, causal, device, end_ids, _pad_id(tokenizer, end_ids))
    _check_head(network, model)
    return network


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


def add_adapter(causal: Any, model: ModelConfig) -> Any:
    """Wrap the model with a new LoRA adapter in float32 (B = 0: it starts as the base)."""
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
    with warnings.catch_warnings():
        # peft asks for an attribute that transformers renames; neither concerns the run.
        warnings.simplefilter("ignore", FutureWarning)
        wrapped = get_peft_model(causal, config)
    # peft puts the local folder here; whoever loads the adapter elsewhere needs the model's name.
    config.base_model_name_or_path = model.name
    return wrapped


def out_of_memory(doing: str) -> Exception:
    """The failure to raise when the device's memory ran out."""
    return failure(
        "out_of_memory",
        f"The device's memory ran out while {doing}.",
        "Lower training.batch_size (and raise gradient_accumulation_steps), "
        "generation.max_completion_length or model.lora.rank, or choose a smaller model.",
        field="training.batch_size",
    )


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
