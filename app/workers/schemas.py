"""What the workers' routes give."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import Schema


class _Telemetry(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Gpu(_Telemetry):
    """One GPU of a worker's host; null where the driver does not tell."""

    index: int
    name: str
    memory_total: int | None = Field(description="Bytes.")
    memory_used: int | None = Field(description="Bytes.")
    utilization: float | None = Field(description="Share of time that it computed, 0–1.")
    temperature: float | None = Field(description="Degrees Celsius.")
    power: float | None = Field(description="Watts.")


class Hardware(_Telemetry):
    """What a worker's host is made of."""

    cpu: str = Field(description="Processor in words.")
    cores: int = Field(description="Logical processors that this worker may use.")
    memory_total: int = Field(description="Bytes.")


class Usage(_Telemetry):
    """What a worker's host is doing."""

    cpu: float = Field(description="Share of all processors in use, 0–1.")
    memory_used: int = Field(description="Bytes.")
    disk_free: int = Field(description="Bytes left where runs are written.")
    gpus: list[Gpu] = Field(description="Empty on a host without GPUs.")


class WorkerOut(Schema):
    """A worker process."""

    id: str
    name: str
    hostname: str
    pid: int
    status: Literal["idle", "busy", "lost", "gone"] = Field(
        description="`lost`: no heartbeat for longer than the lease; `gone`: it said goodbye."
    )
    started_at: datetime
    heartbeat_age: float = Field(description="Seconds since the last heartbeat.")
    run_id: str | None
    run_name: str | None
    hardware: Hardware
    usage: Usage
    versions: dict[str, str]


class WorkerList(Schema):
    """Workers, those alive first."""

    items: list[WorkerOut]
    total: int
    limit: int
    offset: int
