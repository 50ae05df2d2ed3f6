"""A configuration as people send it: on top of a preset, if it names one."""

from __future__ import annotations

from typing import Any

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from core.config import RunConfig
from core.errors import StudioError
from core.presets import PRESETS, expand_preset


class ConfigIn(RunConfig):
    """A `RunConfig` on top of a preset, if it names one. Dumped, it is the `RunConfig` alone."""

    preset: str | None = Field(
        default=None,
        exclude=True,
        description="Name of the preset (`GET /api/presets`) whose settings the others override.",
    )

    @model_validator(mode="before")
    @classmethod
    def _expand(cls, given: Any) -> Any:  # noqa: ANN401 - whatever was sent
        name = given.get("preset") if isinstance(given, dict) else None
        if not isinstance(name, str) or name not in PRESETS:
            return given
        return {**expand_preset(given), "preset": name}

    @field_validator("preset")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        try:
            expand_preset({} if name is None else {"preset": name})
        except StudioError as error:
            told = {"message": error.problem.message, "remedy": error.problem.remedy}
            raise PydanticCustomError("preset_unknown", "{message}", told) from None
        return name
