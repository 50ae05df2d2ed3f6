"""Whether the workers that are connected have room for a run."""

from __future__ import annotations

from typing import Final, NamedTuple

from app.models import Run, Worker
from app.preflight.schemas import DiskNeed, MemoryNeed, Verdict, WorkerFit
from app.runs.placement import misfit
from app.workers.schemas import Hardware, Usage
from core.config import RunConfig
from core.memory import FULL, Device, Estimate, ModelShape, estimate_memory
from core.schedule import Queue, Schedule

COMFORTABLE: Final = 0.85
"""Share of the memory up to which a run fits: the estimate is not exact to the last gigabyte."""
_MOMENTS: Final = 2
_HALF: Final = 2


class Room(NamedTuple):
    """Memory of a worker: bytes in all, and what nothing holds now."""

    capacity: int | None
    free: int | None


def fit(
    worker: Worker, status: str, config: RunConfig, schedule: Schedule, shape: ModelShape | None
) -> WorkerFit:
    """What a worker would have to do with the run, without the time that it takes."""
    hardware = Hardware.model_validate(worker.hardware)
    usage = Usage.model_validate(worker.usage)
    kind = _device(config, hardware)
    need = _need(config, shape, kind, hardware)
    room = _room(kind, hardware, usage)
    verdict, reason = _verdict(worker, config, schedule, need, room)
    return WorkerFit(
        id=worker.id,
        name=worker.name,
        status=status,
        mode=worker.mode,
        device=_words(kind, hardware, usage),
        verdict=verdict,
        reason=reason,
        need=need,
        capacity=room.capacity,
        free=room.free,
        disk_free=usage.disk_free,
        disk_verdict="unknown",
        seconds=None,
        seconds_per_step=None,
        measured_runs=0,
        time_note="",
    )


def _device(config: RunConfig, hardware: Hardware) -> Device:
    wanted = config.training.device
    if wanted != "auto":
        return wanted
    return "cuda" if hardware.gpus else "cpu"


def _need(
    config: RunConfig, shape: ModelShape | None, kind: Device, hardware: Hardware
) -> MemoryNeed | None:
    if shape is None:
        return None
    found: Estimate = estimate_memory(config, shape, kind, _width(config, kind, hardware))
    return MemoryNeed.model_validate({**vars(found), "peak": found.peak})


def _width(config: RunConfig, kind: Device, hardware: Hardware) -> int:
    """Bytes of a frozen weight; where the host does not tell, of the wider format."""
    if config.model.dtype != "auto":
        return _HALF if config.model.dtype == "bfloat16" else FULL
    if kind != "cpu":
        return _HALF
    return _HALF if hardware.bfloat16 else FULL


def _room(kind: Device, hardware: Hardware, usage: Usage) -> Room:
    if kind == "cuda":
        mine = [gpu for gpu in usage.gpus if gpu.mine]
        free = [
            gpu.memory_total - gpu.memory_used
            for gpu in mine
            if gpu.memory_total is not None and gpu.memory_used is not None
        ]
        return Room(hardware.gpu_memory, min(free) if free else None)
    total = hardware.memory_total
    return Room(total, max(0, total - usage.memory_used)) if total else Room(None, None)


def _verdict(
    worker: Worker,
    config: RunConfig,
    schedule: Schedule,
    need: MemoryNeed | None,
    room: Room,
) -> tuple[Verdict, str]:
    unfit = misfit(_as_run(config, schedule), worker)
    if unfit is None and config.training.device == "cuda" and not worker.hardware.get("gpus"):
        unfit = "has no GPU"
    if unfit is not None:
        return "will_not", f"{worker.name} {unfit}."
    if need is None:
        return "unknown", "The model's sizes are not known here; a worker that has it can tell."
    if room.capacity is None:
        return "unknown", "The worker does not tell how much memory it has."
    # Processes that share a CPU share its memory; GPUs have their own.
    shared = _device(config, Hardware.model_validate(worker.hardware)) == "cpu"
    peak = need.peak * (config.training.devices if shared else 1)
    return _compared(peak, room._replace(free=None) if worker.run_id else room)


def _compared(peak: int, room: Room) -> tuple[Verdict, str]:
    """What a run needs against what there is; `free` is None while a run of ours holds memory."""
    capacity = room.capacity or 0
    if peak > capacity:
        return "will_not", "It needs more memory than there is."
    if peak > COMFORTABLE * capacity:
        return "tight", "It takes nearly all of the memory."
    if room.free is not None and peak > room.free:
        return "tight", "Other programs hold memory that it needs."
    return "fits", ""


def _as_run(config: RunConfig, schedule: Schedule) -> Run:
    """The run as placement sees it; never stored."""
    return Run(
        config=config.model_dump(mode="json"),
        queue=(schedule.queue or Queue.GPU).value,
        labels=list(schedule.labels),
        gpu_memory_bytes=schedule.gpu_memory_bytes,
    )


def _words(kind: Device, hardware: Hardware, usage: Usage) -> str:
    if kind != "cuda":
        return hardware.cpu or kind
    names = sorted({gpu.name for gpu in usage.gpus if gpu.mine})
    count = f"{hardware.gpus} × " if hardware.gpus > 1 else ""
    return f"{count}{', '.join(names) or 'GPU'}"


def disk_need(config: RunConfig, shape: ModelShape | None) -> DiskNeed | None:
    """Bytes of weights that a run leaves; its token records come on top."""
    if shape is None:
        return None
    weights = shape.trained(config.model.lora.rank) * FULL
    copies = 2 if config.teacher.weights == "ema" else 1
    adapters = weights * copies
    each = weights * (copies + _MOMENTS)
    every = config.training.checkpoint_every_steps
    # A new checkpoint is written before the oldest goes.
    checkpoints = each * (config.training.keep_checkpoints + 1) if every is not None else 0
    return DiskNeed(adapters=adapters, checkpoints=checkpoints, total=adapters + checkpoints)
