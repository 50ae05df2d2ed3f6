"""Tests that decide whether model-written code is right."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CodeTests(BaseModel):
    """What is run around an answer; the answer is right if nothing raises."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prefix: str = Field(
        default="",
        description="Code put before an answer that does not define `entry_point` itself.",
    )
    entry_point: str | None = Field(default=None, description="Function that is tested.")
    setup: str = Field(default="", description="Code that runs before answer and tests.")
    tests: tuple[str, ...] = Field(min_length=1, description="Statements, run after the answer.")
