"""A worked example, whatever file or benchmark it came from."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from core.code_tests import CodeTests

Task = Literal["choice", "code", "tools", "number", "text"]


class Turn(BaseModel):
    """An earlier message of the conversation that `prompt` ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str


class ToolCall(BaseModel):
    """A call of a tool: its name, and its arguments as they were written (JSON, if all is well)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str
    arguments: str


class Record(BaseModel):
    """One worked example: the student sees `prompt`; the teacher also the rest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="Identifier; the record's own `id`, else its line number.")
    line: int = Field(ge=1, description="Line in the data file, counted from 1.")
    prompt: str = Field(min_length=1)
    answer: str = Field(min_length=1)
    rationale: str | None = None
    turns: tuple[Turn, ...] = Field(default=(), description="Messages before `prompt`.")
    written: str | None = Field(
        default=None,
        description="The reference as a completion and as the teacher is shown it, where it is "
        "not reasoning and a line with the answer: code, calls of tools.",
    )
    choices: tuple[str, ...] = Field(
        default=(), description="Options of a multiple-choice question, without their letters."
    )
    correct: int | None = Field(default=None, description="Index of the right option.")
    tests: CodeTests | None = Field(default=None, description="What an answer in code must pass.")
    calls: tuple[ToolCall, ...] = Field(default=(), description="The right calls, in order.")
    number: str | None = Field(default=None, description="The right result of a calculation.")

    @property
    def task(self) -> Task:
        """How an answer is graded."""
        if self.correct is not None:
            return "choice"
        if self.tests is not None:
            return "code"
        if self.calls:
            return "tools"
        return "text" if self.number is None else "number"


IMAGE_QUESTION: Final = "image_question"


class SkippedError(Exception):
    """A record is no mistake, but not for this use; its argument is the reason."""
