"""What a clone takes over from its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.client.errors import ConflictError
from app.runs.schemas import RunDetail
from core.config import RunConfig
from core.errors import Problem
from core.presets import merge
from core.schedule import Schedule


def changed_config(source: RunDetail, changes: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a run that trains, with changes on top.

    Raises:
        ConflictError: the run only evaluates.
    """
    if not isinstance(source.config, RunConfig):
        problem = Problem(
            code="clone_of_evaluation",
            message=f"“{source.name}” is an evaluation; only runs that train can be cloned.",
            remedy="Start another evaluation with `Client.evaluations.start`.",
        )
        raise ConflictError(409, problem.code, [problem])
    return merge(source.config.model_dump(mode="json"), changes)


def schedule_of(source: RunDetail) -> Schedule:
    """What a run asked for: queue, priority, place and limits."""
    return Schedule(
        priority=source.priority,
        queue=source.queue,
        labels=tuple(source.labels),
        gpu_memory_bytes=source.gpu_memory_bytes,
        max_attempts=source.max_attempts,
        time_limit_seconds=source.time_limit_seconds,
    )
