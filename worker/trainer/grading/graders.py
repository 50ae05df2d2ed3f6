"""The grader of an evaluation: the task's own, or people's."""

from __future__ import annotations

from collections.abc import Sequence

from core.evaluation_config import AnswerSettings
from core.record import Record
from worker.trainer.grading import grade
from worker.trainer.grading.custom import load_grader
from worker.trainer.grading.grade import Grade


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
            StudioError: a custom grader failed.
        """
        judge = self._custom or grade
        return [judge(record, text) for record, text in zip(records, texts, strict=True)]
