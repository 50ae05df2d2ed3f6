"""What the saved views' routes take and give."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from app.schemas import Request, Schema

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$"
    ),
]
_Key = Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[a-z_]+$")]
_Text = Annotated[str, StringConstraints(max_length=8000, pattern=r"^[^\x00]*$")]
Search = Annotated[dict[_Key, _Text], Field(max_length=30)]


class ViewCreate(Request):
    """A view to keep."""

    name: Name
    project_id: str | None = Field(default=None, description="Null: a view of all runs.")
    search: Search = Field(description="What the page keeps in its address.")


class ViewChange(Request):
    """What can be changed about a view; what is null stays."""

    name: Name | None = None
    search: Search | None = None


class ViewOut(Schema):
    """A list of runs as somebody arranged it."""

    id: str
    project_id: str | None
    name: str
    search: dict[str, str]
    created_by: str
    created_at: datetime


class ViewList(Schema):
    """Views by name."""

    items: list[ViewOut]
    total: int
    limit: int
    offset: int
