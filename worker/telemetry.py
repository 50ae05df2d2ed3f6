"""What this host is made of and what it is doing."""

from __future__ import annotations

import os
import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from app.workers.schemas import Gpu, GpuProcess, Hardware, Usage
from core.errors import Problem
from core.gguf import REPORTED_AS, find_converter

try:
    import pynvml
except ImportError:  # the extra for training is not installed
    pynvml = None

_REPORTED_LIBRARIES = ("unisd-studio", "torch", "transformers", "peft", "accelerate", "celery")


def hardware() -> Hardware:
    """Processor, memory and GPUs."""
    mine = [gpu for gpu in gpus() if gpu.mine]
    memories = [gpu.memory_total for gpu in mine if gpu.memory_total is not None]
    return Hardware(
        cpu=_processor(),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        memory_total=psutil.virtual_memory().total,
        gpus=len(mine),
        gpu_memory=min(memories) if memories else None,
        driver=_driver(),
        bfloat16=_has_bfloat16(),
    )


def usage(disk: Path, workers: Collection[int] = (), run_id: str | None = None) -> Usage:
    """Load of the host.

    Args:
        disk: where runs are written.
        workers: processes of all workers on this host; what they started on a GPU is known.
        run_id: run of this worker's own trainer.
    """
    found = gpus()
    for gpu in found:
        for process in gpu.processes:
            _recognise(process, workers, run_id)
    return Usage(
        cpu=psutil.cpu_percent() / 100,
        memory_used=psutil.virtual_memory().used,
        disk_free=psutil.disk_usage(str(_existing(disk))).free,
        gpus=found,
        problems=_strangers(found),
    )


def versions() -> dict[str, str]:
    """Versions of Python and of what runs depend on."""
    found = {"python": platform.python_version()}
    for library in _REPORTED_LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    converter = find_converter()
    if converter is not None:
        found[REPORTED_AS] = converter.name
    return found


def gpus() -> list[Gpu]:
    """NVIDIA GPUs of the host; empty without the driver."""
    with _driver_open() as there:
        if not there:
            return []
        visible = _visible()
        return [_gpu(index, visible) for index in range(pynvml.nvmlDeviceGetCount())]


def gpu_memory_in_use(besides: Collection[int] = ()) -> int | None:
    """Bytes in use on this worker's GPUs, less what some processes hold; None without a GPU."""
    mine = [gpu for gpu in gpus() if gpu.mine and gpu.memory_used is not None]
    if not mine:
        return None
    held = sum(
        process.memory or 0 for gpu in mine for process in gpu.processes if process.pid in besides
    )
    return sum(gpu.memory_used or 0 for gpu in mine) - held


def gpu_pids() -> set[int]:
    """Processes that hold memory of this worker's GPUs."""
    return {process.pid for gpu in gpus() if gpu.mine for process in gpu.processes}


@contextmanager
def _driver_open() -> Iterator[bool]:
    if pynvml is None:
        yield False
        return
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        yield False
        return
    try:
        yield True
    finally:
        pynvml.nvmlShutdown()


def _driver() -> str | None:
    with _driver_open() as there:
        return _text(_ask("nvmlSystemGetDriverVersion")) if there else None


def _visible() -> set[str] | None:
    """Indices and UUIDs in CUDA_VISIBLE_DEVICES; None: all GPUs."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return None
    return {name.strip() for name in named.split(",") if name.strip()}


def _gpu(index: int, visible: set[str] | None) -> Gpu:
    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = _ask("nvmlDeviceGetMemoryInfo", handle)
    rates = _ask("nvmlDeviceGetUtilizationRates", handle)
    milliwatts = _ask("nvmlDeviceGetPowerUsage", handle)
    uuid = _text(_ask("nvmlDeviceGetUUID", handle)) or ""
    return Gpu(
        index=index,
        name=_text(pynvml.nvmlDeviceGetName(handle)) or "GPU",
        uuid=uuid,
        mine=visible is None
        or any(name == str(index) or (uuid and uuid.startswith(name)) for name in visible),
        memory_total=memory.total if memory else None,
        memory_used=memory.used if memory else None,
        utilization=rates.gpu / 100 if rates else None,
        temperature=_ask("nvmlDeviceGetTemperature", handle, pynvml.NVML_TEMPERATURE_GPU),
        power=milliwatts / 1000 if milliwatts is not None else None,
        processes=[
            GpuProcess(pid=process.pid, memory=process.usedGpuMemory)
            for process in _ask("nvmlDeviceGetComputeRunningProcesses", handle) or ()
        ],
    )


def _recognise(process: GpuProcess, workers: Collection[int], run_id: str | None) -> None:
    """Fill in whose process it is."""
    try:
        seen = psutil.Process(process.pid)
        process.name = seen.name()
        family = {process.pid, *(parent.pid for parent in seen.parents())}
    except psutil.Error:
        # The driver names processes of other containers by numbers that mean nothing here. While
        # this worker's own trainer runs, the process may well be that one.
        process.known = run_id is not None
        return
    if os.getpid() in family:
        process.run_id = run_id
    process.known = bool(family & {os.getpid(), *workers})


def _strangers(found: list[Gpu]) -> list[Problem]:
    return [
        Problem(
            code="gpu_process_without_run",
            message=f"Process {process.pid} ({process.name or 'not visible from here'}) holds "
            f"memory of GPU {gpu.index} and belongs to no run.",
            remedy="Look at it on that host with nvidia-smi, and end it if nobody needs it.",
        )
        for gpu in found
        if gpu.mine
        for process in gpu.processes
        if not process.known
    ]


def _ask(function: str, *arguments: object) -> Any:  # noqa: ANN401 - the driver has no types
    """One figure of the driver; None where this GPU does not tell it."""
    try:
        return getattr(pynvml, function)(*arguments)
    except pynvml.NVMLError:
        return None


def _text(value: str | bytes | None) -> str | None:
    """Older versions of the driver's library give bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _has_bfloat16() -> bool | None:
    """What the trainer asks of the processor before it takes this format by itself."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return None
    flags = next((line for line in told.splitlines() if line.startswith("flags")), None)
    return None if flags is None else "avx512_bf16" in flags.split()


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
