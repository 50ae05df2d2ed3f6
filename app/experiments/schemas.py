"""What the experiments' routes take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from app.config_in import ConfigIn
from app.schemas import Request, Schema
from core.config import RunConfig


class ExperimentCreate(Request):
    """A new definition."""

    project_id: str
    name: str = Field(min_length=1, max_length=200, pattern=r"\S")
    description: str = Field(default="", max_length=5000)
    config: ConfigIn


class ExperimentOut(Schema):
    """A definition that runs execute."""

    id: str
    project_id: str
    name: str
    description: str
    config: RunConfig
    created_at: datetime


class ExperimentList(Schema):
    """Experiments, newest first."""

    items: list[ExperimentOut]
    total: int
    limit: int
    offset: int
