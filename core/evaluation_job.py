"""An evaluation as a job of its own: which model, and what it is asked."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from core.config import ModelConfig
from core.config_part import Part, ShortText, extra
from core.evaluation_config import EvaluationSet
from core.objective_config import CombinationError


class EvaluationJob(Part):
    """Everything that an evaluation's result depends on. Stored with it."""

    version: Literal[1] = Field(
        default=1, description="Version of this schema.", json_schema_extra=extra("-")
    )
    model: ModelConfig = Field(
        default_factory=ModelConfig,
        description="The base model. `model.lora` is not looked at: the adapter says what it is.",
        json_schema_extra=extra("-"),
    )
    adapter: ShortText | None = Field(
        default=None,
        description="Folder of an adapter in PEFT's layout (a run's `adapter` or `ema_adapter`), "
        "or of one of a run's checkpoints. Empty: the base model itself.",
        json_schema_extra=extra("-"),
    )
    weights: Literal["student", "ema"] = Field(
        default="student",
        description="Of a checkpoint: the student's weights, or those of the EMA teacher.",
        json_schema_extra=extra("-"),
    )
    sets: tuple[EvaluationSet, ...] = Field(
        min_length=1,
        max_length=64,
        description="What is asked.",
        json_schema_extra=extra("-"),
    )
    system_prompt: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        default=None,
        description="System message put before every prompt. Empty: none.",
        json_schema_extra=extra("-"),
    )
    seed: int = Field(
        default=42,
        ge=0,
        le=2**32 - 1,
        description="Seed of sampled answers.",
        json_schema_extra=extra("-"),
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        default="auto",
        description="`auto` takes a GPU where the worker has one.",
        json_schema_extra=extra("-"),
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.sets]
        if len(set(names)) < len(names):
            raise CombinationError(
                "sets", "two sets have the same name", "Give each set a name of its own."
            )
        return self
