"""Evaluation inside a run: the student as it is after so many steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from worker.trainer.evaluation.evaluator import Evaluator
from worker.trainer.evaluation.questions import Questions
from worker.trainer.evaluation.summary import metrics

FOLDER: Final = "evaluations"


@dataclass(frozen=True)
class Examinations:
    """Sets of questions that a run's student answers from time to time."""

    evaluator: Evaluator
    sets: Sequence[Questions]

    def hold(self, step: int) -> dict[str, float]:
        """Answer all sets. Returns their metrics.

        Before the first step the student is the base, whose answers are kept for other runs.
        """
        found: dict[str, float] = {}
        evaluator = replace(self.evaluator, adapter={"step": step} if step else None)
        log = self.evaluator.log
        for questions in self.sets:
            name = questions.of.name
            path = f"{FOLDER}/step-{step:08d}/{name}"
            summary = evaluator.evaluate(questions, log.folder / path)
            log.emit("evaluation", set=name, step=step, path=path, summary=summary)
            log.say(
                f"{name} after step {step}: {summary['accuracy']:.1%} right of "
                f"{summary['questions']} questions, an answer found in {summary['extracted']:.1%}."
            )
            found |= metrics(summary)
        return found
