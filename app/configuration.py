"""The configuration's schema and defaults, for the form."""

from __future__ import annotations

from collections import Counter
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select

from app.deps import ReadSession, SettingsDep
from app.errors import documented
from app.models import Run
from app.schemas import Request, Schema
from core.config import RunConfig
from core.config_text import config_from_text
from core.errors import Problem, StudioError
from core.models import local_models

_RECENT_RUNS = 500

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


class ConfigText(Request):
    """A configuration as people write it."""

    text: str = Field(max_length=500_000, description="YAML or JSON; it may name a `preset`.")


class ParsedConfig(Schema):
    """What a text says."""

    config: dict[str, Any] | None = Field(
        description="The whole `RunConfig`, defaults filled in; null where there are mistakes."
    )
    errors: list[Problem] = Field(description="Every mistake; `line` is that of the text.")


@router.post("/parse", responses=documented(422))
def parse_text(given: ConfigText) -> ParsedConfig:
    """Read a configuration from YAML or JSON, and name every mistake with its line and field."""
    try:
        config = config_from_text(given.text)
    except StudioError as error:
        return ParsedConfig(config=None, errors=list(error.problems))
    return ParsedConfig(config=config.model_dump(mode="json"), errors=[])


class KnownModel(Schema):
    """A model that can be named."""

    name: str
    here: bool = Field(description="Whether it lies on this machine.")
    runs: int = Field(description="Recent runs that used it.")


class ModelList(Schema):
    """Models to suggest, those most used first."""

    items: list[KnownModel]


@router.get("/models")
def list_models(session: ReadSession, settings: SettingsDep) -> ModelList:
    """Models on this machine, and those that earlier runs used."""
    name = Run.config["model"]["name"].as_string()
    recent = select(name).order_by(Run.created_at.desc()).limit(_RECENT_RUNS)
    used = Counter(found for found in session.scalars(recent) if found)
    here = set(local_models(settings.home))
    items = [
        KnownModel(name=one, here=one in here, runs=used[one]) for one in sorted(here | set(used))
    ]
    return ModelList(items=sorted(items, key=lambda one: -one.runs))
