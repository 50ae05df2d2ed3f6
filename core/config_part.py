"""What all parts of a configuration share: frozen, closed, and described for people and forms."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


def extra(unit: str, *, advanced: bool = False) -> dict[str, Any]:
    """Notes in the JSON schema: the unit (`-` where there is none), and whether to hide it."""
    return {"unit": unit, "advanced": advanced}


class Part(BaseModel):
    """A part of a configuration: immutable, without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
FieldName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]


class Switchable(Part):
    """A part that is off unless it is asked for.

    `part: true`, `part: {enabled: true}` and naming any of its settings all switch it on.
    """

    enabled: bool = Field(
        default=False, description="Whether this is on.", json_schema_extra=extra("-")
    )

    @model_validator(mode="before")
    @classmethod
    def _settings_switch_it_on(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        if isinstance(given, bool):
            return {"enabled": given}
        if isinstance(given, dict) and given and "enabled" not in given:
            return {**given, "enabled": True}
        return given

    @property
    def on(self) -> Self | None:
        """The part itself, or None while it is off."""
        return self if self.enabled else None
