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
from worker.trainer.sandbox.run import require


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
        self._minimum = Isolation.named(settings.minimum_isolation)

    def prepare(self, records: Sequence[Record]) -> None:
        """Find out before any answer is written whether they can be graded.

        Raises:
            StudioError: `isolation_unavailable` if there is code that must not be run here.
        """
        if self._custom is None and any(record.tests is not None for record in records):
            require(self._minimum)

    def grade(self, records: Sequence[Record], texts: Sequence[str]) -> list[Grade]:
        """One grade for each answer.

        Raises:
            StudioError: a custom grader failed, or `isolation_unavailable`.
        """
        if self._custom is not None:
            return [self._custom(*pair) for pair in zip(records, texts, strict=True)]
        code = [place for place, record in enumerate(records) if record.tests is not None]
        graded = dict(
            zip(
                code,
                grade_code(
                    [tests for place in code if (tests := records[place].tests) is not None],
                    [texts[place] for place in code],
                    self._minimum,
                    Limits(),
                ),
                strict=True,
            )
        )
        return [
            graded[place] if place in graded else grade(record, text)
            for place, (record, text) in enumerate(zip(records, texts, strict=True))
        ]
