"""What this host is made of and what it is doing."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from app.workers.schemas import Gpu, Hardware, Usage

try:
    import pynvml
except ImportError:  # the extra for training is not installed
    pynvml = None

_REPORTED_LIBRARIES = ("unisd-studio", "torch", "transformers", "peft", "celery")


def hardware() -> Hardware:
    """Processor and memory."""
    return Hardware(
        cpu=_processor(),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        memory_total=psutil.virtual_memory().total,
    )


def usage(disk: Path) -> Usage:
    """Load of the host; `disk` is where runs are written."""
    return Usage(
        cpu=psutil.cpu_percent() / 100,
        memory_used=psutil.virtual_memory().used,
        disk_free=psutil.disk_usage(str(_existing(disk))).free,
        gpus=gpus(),
    )


def versions() -> dict[str, str]:
    """Versions of Python and of what runs depend on."""
    found = {"python": platform.python_version()}
    for library in _REPORTED_LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found


def gpus() -> list[Gpu]:
    """NVIDIA GPUs of the host; empty without the driver."""
    if pynvml is None:
        return []
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return []
    try:
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = _ask("nvmlDeviceGetMemoryInfo", handle)
    rates = _ask("nvmlDeviceGetUtilizationRates", handle)
    milliwatts = _ask("nvmlDeviceGetPowerUsage", handle)
    name = pynvml.nvmlDeviceGetName(handle)
    return Gpu(
        index=index,
        name=name if isinstance(name, str) else name.decode(),
        memory_total=memory.total if memory else None,
        memory_used=memory.used if memory else None,
        utilization=rates.gpu / 100 if rates else None,
        temperature=_ask("nvmlDeviceGetTemperature", handle, pynvml.NVML_TEMPERATURE_GPU),
        power=milliwatts / 1000 if milliwatts is not None else None,
    )


def _ask(function: str, *arguments: object):  # type: ignore[no-untyped-def]  # noqa: ANN202
    """One figure of the driver; None where this GPU does not tell it."""
    try:
        return getattr(pynvml, function)(*arguments)
    except pynvml.NVMLError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path
