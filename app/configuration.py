"""The configuration's schema and defaults, for the form."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from app.deps import SettingsDep
from app.schemas import Schema
from core.config import RunConfig

router = APIRouter(prefix="/config", tags=["configuration"])


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
