"""What the presets' route gives."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.schemas import Schema


class PresetOut(Schema):
    """A named starting point."""

    name: str = Field(description="Short and stable; what `config.preset` names.")
    summary: str = Field(description="One line for people who choose.")
    formula: str = Field(description="The loss per token.")
    settings: dict[str, Any] = Field(
        description="What it sets on top of the defaults: nested fields of `RunConfig`."
    )


class PresetList(Schema):
    """Presets in the order of the documentation."""

    items: list[PresetOut]
    total: int
    limit: int
    offset: int
