"""Whether an answer is right, task by task: letters, numbers, calls of tools, texts, code."""

from __future__ import annotations

from core.record import Record
from core.record_fields import LETTERS
from worker.trainer.grading.choice import extract_letter
from worker.trainer.grading.grade import Grade
from worker.trainer.grading.numbers import extract_number, same_number
from worker.trainer.grading.texts import after_answer, same
from worker.trainer.grading.tools import grade_calls

__all__ = ["Grade", "grade"]


def grade(record: Record, text: str) -> Grade:
    """Grade an answer without running anything.

    Raises:
        ValueError: the record asks for code, which only the sandbox can grade.
    """
    match record.task:
        case "choice":
            letter = extract_letter(text, record.choices)
            assert record.correct is not None  # noqa: S101 - that makes the task
            # Some records name the right option twice; either letter is right.
            chosen = record.choices[LETTERS.index(letter)] if letter else None
            return Grade(letter, chosen == record.choices[record.correct])
        case "number":
            number = extract_number(text)
            return Grade(number, same_number(number, str(record.number)))
        case "tools":
            return grade_calls(record.calls, text)
        case "text":
            given = after_answer(text)
            right = same(given, record.answer) or same(text, record.answer)
            return Grade(given or None, right)
    raise ValueError("code is graded by its tests, in the sandbox")
