"""Proof that a trainer's GPU memory came back after its end."""

from __future__ import annotations

import time
from typing import Final

import psutil
from sqlalchemy.orm import Session

from app.runs.schemas import GpuMemory
from app.workers import service
from worker import telemetry
from worker.presence import Presence

TOLERANCE_BYTES: Final = 512 * 2**20
"""So much the driver itself may keep."""
_PATIENCE_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.5


class GpuProof:
    """Compares the memory in use before and after an attempt.

    Memory of processes that came meanwhile and are not the trainer's counts for neither.
    """

    def __init__(self) -> None:
        self._before = telemetry.gpu_memory_in_use()
        self._present = telemetry.gpu_pids()
        self._ours: set[int] = set()

    def look(self, pid: int) -> None:
        """Remember the processes of the trainer, while they can be seen."""
        if self._before is None:
            return
        try:
            family = psutil.Process(pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        self._ours |= {pid, *(process.pid for process in family)}

    def finish(self) -> GpuMemory | None:
        """Wait a little for the memory to come back; None on a host without GPUs."""
        if self._before is None:
            return None
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            strangers = telemetry.gpu_pids() - self._present - self._ours
            after = telemetry.gpu_memory_in_use(besides=strangers) or 0
            returned = after - self._before <= TOLERANCE_BYTES
            if returned or time.monotonic() > deadline:
                return GpuMemory(before=self._before, after=after, returned=returned)
            time.sleep(_LOOK_SECONDS)

    @staticmethod
    def quarantine(session: Session, presence: Presence, run_id: str, memory: GpuMemory) -> None:
        """Have this worker take no more runs, and say why."""
        missing = (memory.after - memory.before) / 2**30
        service.set_mode(
            session,
            presence.worker_id,
            "quarantined",
            reason=f"{missing:.1f} GiB of GPU memory did not come back after run {run_id}. Look "
            "with nvidia-smi for what holds it, end that, then let the worker resume.",
            actor=presence.actor,
        )
