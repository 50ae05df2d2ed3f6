"""Loads an adapter that a run saved, or any LoRA adapter in PEFT's layout, as the student."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file

from core.config import LoraConfig, ModelConfig
from core.errors import StudioError
from worker.trainer.checkpoint import STATE
from worker.trainer.failures import mistake
from worker.trainer.files import file_sha256
from worker.trainer.model import STUDENT, Network
from worker.trainer.saving import WEIGHTS

CONFIG: Final = "adapter_config.json"
VARIANTS: Final = (
    "use_dora",
    "use_rslora",
    "rank_pattern",
    "alpha_pattern",
    "modules_to_save",
    "layers_to_transform",
    "lora_bias",
)
"""Settings of PEFT that make an adapter something else than W + alpha / r · B · A."""


def shape_of(folder: Path, model: ModelConfig) -> ModelConfig:
    """The model's configuration with the adapter's rank, scale and layers.

    Args:
        folder: of an adapter in PEFT's layout, or of a checkpoint.
        model: the base.

    Raises:
        StudioError: `adapter_not_found` or `adapter_invalid`.
    """
    try:
        shape = _of_checkpoint(folder) if _is_checkpoint(folder) else _of_adapter(folder)
        lora = LoraConfig.model_validate({**shape, "dropout": 0.0})
    except (KeyError, TypeError, ValidationError) as error:
        raise _invalid(folder, "its configuration is not understood") from error
    return model.model_copy(update={"lora": lora})


def made_for_another(folder: Path, model: ModelConfig) -> str | None:
    """The base that an adapter names, where that is another than `model`; else None."""
    if _is_checkpoint(folder):
        named = _read(folder, STATE)["identity"]["configuration"]["model"]["name"]
    else:
        named = _read(folder, CONFIG).get("base_model_name_or_path")
    # The same model may lie in a folder here and on the hub there.
    same = not isinstance(named, str) or Path(named).name == Path(model.name).name
    return None if same else named


def _is_checkpoint(folder: Path) -> bool:
    return (folder / STATE).is_file()


def _of_checkpoint(folder: Path) -> dict[str, Any]:
    shape: dict[str, Any] = _read(folder, STATE)["identity"]["configuration"]["model"]["lora"]
    return shape


def _of_adapter(folder: Path) -> dict[str, Any]:
    found = _read(folder, CONFIG)
    strange = [name for name in VARIANTS if found.get(name)]
    if strange:
        raise _invalid(folder, f"it is no plain LoRA adapter ({', '.join(strange)})")
    targets = found["target_modules"]
    return {
        "rank": found["r"],
        "alpha": found["lora_alpha"],
        "target_modules": sorted(targets if isinstance(targets, list) else ()),
    }


def load_adapter(
    network: Network, folder: Path, weights_of: str = "student", into: str = STUDENT
) -> str:
    """Put an adapter's factors into the student. Returns the SHA-256 of its weights.

    Args:
        network: made with `shape_of` the same folder.
        folder: of an adapter, or of a checkpoint.
        weights_of: of a checkpoint: `student` or `ema`.
        into: name of the adapter that gets them.

    Raises:
        StudioError: `adapter_invalid` if they do not fit the model.
    """
    file = weights_file(folder, weights_of)
    try:
        weights = load_file(file)
    except (OSError, SafetensorError) as error:
        raise _invalid(folder, f"{file.name} cannot be read: {error}") from error
    factors = network.factors(into)
    if set(factors) != set(weights):
        different = sorted(set(factors) ^ set(weights))
        raise _invalid(folder, f"its layers are not the model's ({different[0]} and more)")
    with torch.no_grad():
        for name, factor in factors.items():
            if factor.shape != weights[name].shape:
                raise _invalid(folder, f"{name} has another shape than the model's layer")
            factor.copy_(weights[name])
    return file_sha256(file)


def weights_file(folder: Path, weights_of: str) -> Path:
    """Where the weights of an adapter, or of one of a checkpoint's, are."""
    return folder / (f"{weights_of}.safetensors" if _is_checkpoint(folder) else WEIGHTS)


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / name).read_bytes())
    except FileNotFoundError:
        raise mistake(
            "adapter_not_found",
            f"There is no adapter in {folder} (no {name}).",
            "Give the folder that holds adapter_config.json and adapter_model.safetensors, or the "
            "folder of a checkpoint.",
            field="adapter",
        ) from None
    except (OSError, ValueError) as error:
        raise _invalid(folder, f"its {name} cannot be read") from error
    if not isinstance(found, dict):
        raise _invalid(folder, f"its {name} is not understood")
    return found


def _invalid(folder: Path, reason: str) -> StudioError:
    return mistake(
        "adapter_invalid",
        f"The adapter in {folder} cannot be used: {reason}.",
        "Give a LoRA adapter for this model, in PEFT's layout, with safetensors.",
        field="adapter",
    )
