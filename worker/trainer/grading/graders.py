"""The grader of an evaluation: the task's own, or people's."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation_config import AnswerSettings
from core.record import Record
from worker.trainer.grading import grade
from worker.trainer.grading.code import grade_code
from worker.trainer.grading.custom import load_grader
from worker.trainer.grading.grade import Grade
from worker.trainer.sandbox import Isolation, Limits


class Grader:
    """Grades answers, several at a time where that is quicker.

    Args:
        settings: whose grader, and how far code must be kept from this machine.

    Raises:
        StudioError: as `load_grader`.
    """

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings
        self._custom = load_grader(settings.grader) if settings.grader else None

    def grade(self, records: Sequence[Record], texts: Sequence[str]) -> list[Grade]:
        """One grade for each answer.

        Raises:
            StudioError: a custom grader failed, or `isolation_unavailable`.
        """
        if self._custom is not None:
            return [self._custom(*pair) for pair in zip(records, texts, strict=True)]
        code = [place for place, record in enumerate(records) if record.tests is not None]
        minimum = Isolation.named(self._settings.minimum_isolation)
        graded = dict(
            zip(
                code,
                grade_code(
                    [tests for place in code if (tests := records[place].tests) is not None],
                    [texts[place] for place in code],
                    minimum,
                    Limits(),
                ),
                strict=True,
            )
        )
        return [
            graded[place] if place in graded else grade(record, text)
            for place, (record, text) in enumerate(zip(records, texts, strict=True))
        ]
