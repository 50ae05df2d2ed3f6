"""The wording of multiple-choice questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from core.record import Record
from core.record_fields import LETTERS

REASON_FIRST: Final = "Think briefly, then give the letter of the best option."
ANSWER_FIRST: Final = "Give the letter of the best option first, then a short reason."


class Question(NamedTuple):
    """A question with its options, and where it came from.

    Attributes:
        correct: index of the right option.
        rationale: why, in the data's words.
    """

    id: str
    line: int
    text: str
    choices: Sequence[str]
    correct: int
    rationale: str | None = None


def as_record(question: Question, *, answer_first: bool) -> Record:
    """The question as student and teacher see it."""
    options = "\n".join(option(question.choices, index) for index in range(len(question.choices)))
    how = ANSWER_FIRST if answer_first else REASON_FIRST
    return Record(
        id=question.id,
        line=question.line,
        prompt=f"{question.text}\n{options}\n{how}",
        answer=option(question.choices, question.correct),
        rationale=question.rationale,
        choices=tuple(question.choices),
        correct=question.correct,
    )


def option(choices: Sequence[str], index: int) -> str:
    """An option with its letter, as the prompt shows it."""
    return f"{LETTERS[index]}. {choices[index]}"
