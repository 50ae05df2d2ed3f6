"""What the projects' routes take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.schemas import Request, Schema


class ProjectCreate(Request):
    """A new project."""

    name: str = Field(min_length=1, max_length=200, pattern=r"\S")
    description: str = Field(default="", max_length=5000)


class ProjectOut(Schema):
    """A project."""

    id: str
    name: str
    description: str
    created_at: datetime
    run_count: int = Field(default=0, description="Runs in the project.")


class ProjectList(Schema):
    """Projects, newest first."""

    items: list[ProjectOut]
    total: int
    limit: int
    offset: int
