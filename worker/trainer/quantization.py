"""Frozen base weights in 8 or 4 bits, through bitsandbytes (optional extra `quantization`)."""

from __future__ import annotations

import importlib.util
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from core.config import ModelConfig
from worker.trainer.failures import mistake


def quantized(model: ModelConfig, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Arguments of `from_pretrained` that load the weights as configured.

    The head stays in `dtype`: the divergence needs exact logits.

    Raises:
        StudioError: `quantization_unavailable`.
    """
    if model.quantization == "none":
        return {}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise mistake(
            "quantization_unavailable",
            f"model.quantization = {model.quantization} needs bitsandbytes, which is missing.",
            "Install the extra: pip install 'unisd-studio[quantization]', or set it to none.",
            field="model.quantization",
        )
    config = BitsAndBytesConfig(  # type: ignore[no-untyped-call]
        load_in_8bit=model.quantization == "int8",
        load_in_4bit=model.quantization == "nf4",
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    return {"quantization_config": config, "device_map": {"": device}}
