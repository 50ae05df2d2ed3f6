"""How much memory a run will need here: `core.memory` with the model's own modules counted."""

from __future__ import annotations

from typing import Any

import torch

from core.config import RunConfig
from core.memory import FULL, Decoder, Device, Estimate, ModelShape, estimate_memory
from worker.trainer import device as devices
from worker.trainer.model import load_model_config, skeleton


def estimate(config: RunConfig, device: str | None = None) -> Estimate:
    """Estimate a run.

    Args:
        config: the run's configuration.
        device: `cpu`, `cuda` or `mps`; None for what this machine would take.

    Raises:
        StudioError: the model's configuration cannot be had.
    """
    chosen = devices.choose_device(config.training.device) if device is None else device
    kind: Any = chosen if isinstance(chosen, str) else chosen.type
    return estimate_memory(config, _shape(config), kind, _width(config, kind))


def decoder_of(model: Any) -> Decoder:  # noqa: ANN401 - configurations differ
    """The sizes in a model's configuration."""
    text = model.get_text_config()
    return Decoder.of(lambda name: getattr(text, name, None))


def _shape(config: RunConfig) -> ModelShape:
    model = load_model_config(config.model)
    modules = skeleton(model)
    adapted = tuple(
        (module.in_features, module.out_features)
        for name, module in modules.named_modules()
        if name.rsplit(".", 1)[-1] in config.model.lora.target_modules
        and isinstance(module, torch.nn.Linear)
    )
    parameters = sum(parameter.numel() for parameter in modules.parameters())
    return ModelShape(decoder_of(model), parameters, adapted)


def _width(config: RunConfig, kind: Device) -> int:
    """Bytes of a frozen weight and of an activation."""
    if config.model.dtype != "auto":
        return 2 if config.model.dtype == "bfloat16" else FULL
    here = devices.choose_dtype("auto", torch.device("cpu")) if kind == "cpu" else torch.bfloat16
    return here.itemsize


def describe(config: RunConfig, found: Estimate) -> str:
    """Lines for people."""
    rows = [
        ("Frozen weights", found.base),
        ("Adapters", found.adapters),
        ("Gradients, moments", found.optimizer),
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
