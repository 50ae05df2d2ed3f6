"""What the search's route gives."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from app.schemas import Schema
from core.states import RunStatus

Kind = Literal["run", "dataset", "study", "worker"]


class Hit(Schema):
    """Something that the text was found in."""

    kind: Kind
    id: str
    name: str
    detail: str = Field(description="What tells it from others of its name; may be empty.")
    status: RunStatus | None = Field(description="State of a run.")


class Hits(Schema):
    """What was found: of each kind so many at most, names that begin with the text first."""

    items: list[Hit]
