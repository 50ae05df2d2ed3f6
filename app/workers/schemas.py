"""What the workers' routes take and give, and what workers report about their hosts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas import Request, Schema
from core.errors import Problem
from core.schedule import Queue

WorkerMode = Literal["active", "draining", "quarantined"]


class _Telemetry(BaseModel):
    # Workers of another version may report more or less than this one knows.
    model_config = ConfigDict(extra="ignore")


class GpuProcess(_Telemetry):
    """A process that holds memory of a GPU."""

    pid: int
    name: str = Field(default="", description="Empty where it cannot be seen from the worker.")
    memory: int | None = Field(default=None, description="Bytes, where the driver tells them.")
    run_id: str | None = Field(default=None, description="Run whose trainer it belongs to.")
    known: bool = Field(
        default=True, description="False: it belongs to no run and to none of our workers."
    )


class Gpu(_Telemetry):
    """One GPU of a worker's host; null where the driver does not tell."""

    index: int
    name: str
    uuid: str = ""
    mine: bool = Field(default=True, description="Whether the worker gives it to its runs.")
    memory_total: int | None = Field(description="Bytes.")
    memory_used: int | None = Field(description="Bytes.")
    utilization: float | None = Field(description="Share of time that it computed, 0–1.")
    temperature: float | None = Field(description="Degrees Celsius.")
    power: float | None = Field(description="Watts.")
    processes: list[GpuProcess] = Field(default_factory=list)


class Hardware(_Telemetry):
    """What a worker's host is made of."""

    cpu: str = Field(default="", description="Processor in words.")
    cores: int = Field(default=1, description="Logical processors that this worker may use.")
    memory_total: int = Field(default=0, description="Bytes.")
    gpus: int = Field(default=0, description="GPUs that this worker gives to runs.")
    gpu_memory: int | None = Field(
        default=None, description="Memory of the smallest of them, bytes."
    )
    driver: str | None = Field(default=None, description="Version of the NVIDIA driver.")
    bfloat16: bool | None = Field(
        default=None,
        description="Whether the processor computes in bfloat16; null where it does not tell.",
    )


class Usage(_Telemetry):
    """What a worker's host is doing."""

    cpu: float = Field(description="Share of all processors in use, 0–1.")
    memory_used: int = Field(description="Bytes.")
    disk_free: int = Field(description="Bytes left where runs are written.")
    gpus: list[Gpu] = Field(description="Empty on a host without GPUs.")
    problems: list[Problem] = Field(
        default_factory=list, description="What is wrong on the host, and what to do about it."
    )


class WorkerOut(Schema):
    """A worker process."""

    id: str
    name: str
    hostname: str
    pid: int
    status: Literal["idle", "busy", "stale", "lost", "gone"] = Field(
        description="`stale`: not heard of for a while; `lost`: for longer than the lease; `gone`: "
        "it said goodbye."
    )
    mode: WorkerMode = Field(description="Only an active worker takes new runs.")
    mode_reason: str
    mode_by: str = Field(description="Who set the mode.")
    mode_since: float | None = Field(description="Seconds since the Unix epoch.")
    labels: list[str]
    queues: list[Queue]
    started_at: datetime
    starts: int = Field(description="How often it has been started.")
    heartbeat_age: float = Field(description="Seconds since the last heartbeat.")
    run_id: str | None
    run_name: str | None
    run_by: str = Field(description="Who asked for that run; empty while there is none.")
    waiting: int = Field(description="Runs in its queues that wait and that it could take.")
    hardware: Hardware
    usage: Usage
    versions: dict[str, str]


class WorkerList(Schema):
    """Workers, those alive first."""

    items: list[WorkerOut]
    total: int
    limit: int
    offset: int


class ModeWish(Request):
    """Why a worker is to take no more runs."""

    reason: str = Field(default="", max_length=1000)


class Sample(Schema):
    """What a host was doing at one time."""

    time: int = Field(description="Seconds since the Unix epoch, by the database's clock.")
    cpu: float
    memory_used: int
    disk_free: int
    gpus: list[Gpu]


class SampleList(Schema):
    """A worker's past, oldest first."""

    items: list[Sample]
