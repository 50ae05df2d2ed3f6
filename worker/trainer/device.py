"""Which processor computes, and in which number format."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Final, Literal

import torch

from worker.trainer.failures import mistake

LIBRARIES: Final = ("torch", "transformers", "peft", "safetensors")


def choose_device(wanted: Literal["auto", "cpu", "cuda", "mps"]) -> torch.device:
    """Pick the device.

    Raises:
        StudioError: `device_unavailable` if the wanted one is not there.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wanted == "auto":
        return torch.device(next(name for name, there in present.items() if there))
    if not present[wanted]:
        raise mistake(
            "device_unavailable",
            f"There is no {wanted} device here; found: "
            f"{', '.join(name for name, there in present.items() if there)}.",
            "Set training.device to auto, or run on a worker that has one.",
            field="training.device",
        )
    return torch.device(wanted)


def check_count(wanted: int, device: torch.device) -> None:
    """See whether so many devices are there. Any number of processes may share a CPU.

    Raises:
        StudioError: `too_few_devices`.
    """
    present = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type != "cpu" and wanted > present:
        raise mistake(
            "too_few_devices",
            f"The run asks for {wanted} devices, and of kind {device.type} this host shows "
            f"{present}.",
            f"Set training.devices to at most {present}, let CUDA_VISIBLE_DEVICES show more of the "
            "host's GPUs, or run on a host that has them.",
            field="training.devices",
        )


def choose_dtype(
    wanted: Literal["auto", "float32", "bfloat16"], device: torch.device
) -> torch.dtype:
    """Pick the format of the frozen weights: bfloat16 where the processor computes in it."""
    if wanted != "auto":
        return torch.float32 if wanted == "float32" else torch.bfloat16
    if device.type == "cuda":
        has_bfloat16 = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        has_bfloat16 = device.type == "cpu" and torch.cpu._is_avx512_bf16_supported()  # noqa: SLF001
    return torch.bfloat16 if has_bfloat16 else torch.float32


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return device.type


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries that shape a run's numbers."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}
