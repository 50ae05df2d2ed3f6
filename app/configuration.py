"""The configuration's schema and defaults, for the form."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.deps import SettingsDep
from app.schemas import Schema
from core.config import RunConfig
from core.errors import StudioError
from core.presets import PRESETS, expand_preset

router = APIRouter(prefix="/config", tags=["configuration"])


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


class Defaults(Schema):
    """A configuration to start from."""

    config: dict[str, Any] = Field(
        description="A whole `RunConfig`; `data.path` is the newest data file in the home folder, "
        "or empty."
    )


@router.get("/schema")
def get_schema() -> dict[str, Any]:
    """JSON schema of `RunConfig`; every field has a description, bounds and a `unit`."""
    return RunConfig.model_json_schema()


@router.get("/defaults")
def get_defaults(settings: SettingsDep) -> Defaults:
    """Every default, with a data file where there is one."""
    found = sorted((settings.home / "data").glob("*.jsonl*"), key=lambda path: path.stat().st_mtime)
    suggestion = str(found[-1]) if found else ""
    config = RunConfig.model_validate({"data": {"path": suggestion or "-"}}).model_dump(mode="json")
    config["data"]["path"] = suggestion
    return Defaults(config=config)
