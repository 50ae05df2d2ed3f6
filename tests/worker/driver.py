"""A driver of GPUs that do not exist: NVML's functions over plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

MIB = 2**20


@dataclass
class FakeGpu:
    """One GPU; `processes` maps process numbers to bytes (None: the driver does not tell)."""

    uuid: str = "GPU-0"
    total: int = 80 * 1024 * MIB
    used: int = 500 * MIB
    utilization: int | None = 40
    processes: dict[int, int | None] = field(default_factory=dict)


class FakeDriver:
    """What `pynvml` offers, as far as telemetry asks it."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        """A figure that this GPU does not tell."""

    def __init__(self, *gpus: FakeGpu) -> None:
        self.gpus = gpus

    def nvmlInit(self) -> None: ...  # noqa: N802 - NVML's names
    def nvmlShutdown(self) -> None: ...  # noqa: N802
    def nvmlSystemGetDriverVersion(self) -> str:  # noqa: N802
        return "570.1"

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:  # noqa: N802
        return self.gpus[index]

    def nvmlDeviceGetName(self, _gpu: FakeGpu) -> bytes:  # noqa: N802
        return b"Fake"

    def nvmlDeviceGetUUID(self, gpu: FakeGpu) -> str:  # noqa: N802
        return gpu.uuid

    def nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(total=gpu.total, used=gpu.used)

    def nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu) -> SimpleNamespace:  # noqa: N802
        if gpu.utilization is None:
            raise self.NVMLError
        return SimpleNamespace(gpu=gpu.utilization)

    def nvmlDeviceGetPowerUsage(self, _gpu: FakeGpu) -> int:  # noqa: N802
        return 61_500

    def nvmlDeviceGetTemperature(self, _gpu: FakeGpu, _kind: int) -> int:  # noqa: N802
        return 35

    def nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[SimpleNamespace]:  # noqa: N802
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in gpu.processes.items()]
