"""Shapes that several domains answer with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from core.errors import Problem


class Schema(BaseModel):
    """Base of answers: built from rows, nothing unknown."""

    model_config = ConfigDict(from_attributes=True)


class Request(BaseModel):
    """Base of request bodies: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class ProblemDetails(BaseModel):
    """An error as RFC 9457 describes it, with a code and a remedy."""

    type: str = Field(description="`urn:unisd:problem:<code>`: names the kind of problem.")
    title: str = Field(description="Short name of the kind of problem.")
    status: int = Field(description="HTTP status code.")
    detail: str = Field(description="What went wrong this time.")
    code: str = Field(description="Machine-readable code, stable across releases.")
    remedy: str = Field(default="", description="What to do about it.")
    errors: list[Problem] = Field(
        default_factory=list, description="Every single mistake, each with its field."
    )
