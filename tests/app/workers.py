"""Workers as they register themselves."""

from __future__ import annotations

import os
from typing import Any

from sqlalchemy.orm import Session

from app.settings import Settings
from app.workers import service
from app.workers.processes import host_key
from app.workers.schemas import Gpu, Hardware, Usage

USAGE = Usage(cpu=0.5, memory_used=1, disk_free=2, gpus=[])


def gpu(**more: Any) -> Gpu:
    """A GPU at rest."""
    figures: dict[str, Any] = {
        "index": 0,
        "name": "G",
        "memory_total": 80 * 2**30,
        "memory_used": 2**30,
        "utilization": 0.0,
        "temperature": 30.0,
        "power": 50.0,
    }
    return Gpu(**figures | more)


def register(
    session: Session, name: str = "w", *, pid: int | None = None, gpus: int = 0, **settings: Any
) -> str:
    """Enter a worker of this process; returns its identifier."""
    who = service.Identity(name, "h", host_key(), os.getpid() if pid is None else pid)
    hardware = Hardware(
        cpu="c", cores=2, memory_total=3, gpus=gpus, gpu_memory=80 * 2**30 if gpus else None
    )
    told = {
        "hardware": hardware.model_dump(),
        "usage": USAGE.model_dump(),
        "versions": {"python": "3.11"},
    }
    return service.register(session, who, Settings(**settings), told)
