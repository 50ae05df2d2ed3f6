"""A verdict on an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Grade(NamedTuple):
    """A verdict.

    Attributes:
        extracted: the letter, number, code or text that was taken for the answer; None if there
            was none.
        correct: whether it is right; a missing answer is not.
        partial: credit between 0 and 1 for what is right in it; None where a task has no such
            thing. Never part of the accuracy.
        detail: what else the grader found, for inspection.
    """

    extracted: str | None
    correct: bool
    partial: float | None = None
    detail: Mapping[str, Any] | None = None
