"""One shape for every mistake that a person can mend.

The API, the form and the command line all print the same four things: what is wrong, where, how to
mend it, and a code that programs can match.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Problem(BaseModel):
    """A mistake in the input or the environment, told so that a person can mend it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(description="Machine-readable code, stable across releases.")
    message: str = Field(description="What is wrong, naming the thing.")
    remedy: str = Field(default="", description="What to do about it.")
    field: str | None = Field(
        default=None, description="Dotted path of the configuration field at fault."
    )
    line: int | None = Field(
        default=None, description="Line of the data file at fault, counted from 1."
    )

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class StudioError(Exception):
    """Raised for mistakes that a person can mend; carries one or more problems."""

    def __init__(self, *problems: Problem) -> None:
        if not problems:
            raise ValueError("a StudioError needs at least one problem")
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    @property
    def problem(self) -> Problem:
        """The first problem, for callers that show only one."""
        return self.problems[0]
