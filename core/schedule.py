"""When and where a run is executed: nothing here changes what it computes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from core.config_part import Part, extra

Label = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:=/-]{0,62}$")
]
"""A word that workers carry and runs ask for, for example `a100` or `site=berlin`."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = -100, 100


class Queue(StrEnum):
    """What workers take runs from."""

    GPU = "gpu"
    """Training and large evaluations."""
    INTERACTIVE = "interactive"
    """Short work that somebody waits for."""


class Schedule(Part):
    """Priority, place and limits of a run."""

    priority: int = Field(
        default=0,
        ge=LOWEST_PRIORITY,
        le=HIGHEST_PRIORITY,
        description="Runs of higher priority start first; equal ones in their order.",
        json_schema_extra=extra("-"),
    )
    queue: Queue | None = Field(
        default=None,
        description="Queue. Empty: `interactive` for small evaluations, else `gpu`.",
        json_schema_extra=extra("-", advanced=True),
    )
    labels: tuple[Label, ...] = Field(
        default=(),
        max_length=16,
        description="Only workers with all of these labels may take it.",
        json_schema_extra=extra("-"),
    )
    gpu_memory_bytes: int | None = Field(
        default=None,
        ge=1,
        le=2**50,
        description="Only workers whose GPUs have at least so much memory may take it.",
        json_schema_extra=extra("bytes", advanced=True),
    )
    max_attempts: int | None = Field(
        default=None,
        ge=1,
        le=100,
        description="Starts before it counts as crashed for good; 1: never again. Empty: the "
        "installation's.",
        json_schema_extra=extra("attempts", advanced=True),
    )
    time_limit_seconds: float | None = Field(
        default=None,
        gt=0,
        le=366 * 86_400,
        description="Time of all attempts together, after which it is stopped and saved.",
        json_schema_extra=extra("seconds", advanced=True),
    )
