"""Evaluates a model on sets of questions, and compares it with its base."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from worker.trainer.device import versions
from worker.trainer.evaluation.answers import Item, Weights, Writer, sampling
from worker.trainer.evaluation.questions import Questions
from worker.trainer.evaluation.retention import Comparison, compare
from worker.trainer.evaluation.rows import Rows
from worker.trainer.evaluation.summary import summarize, summarize_retention
from worker.trainer.event_log import EventLog
from worker.trainer.failures import write_failure
from worker.trainer.files import write_atomically
from worker.trainer.grading.graders import Grader
from worker.trainer.rollout import Rollout
from worker.trainer.token_text import decode, pieces

ANSWERS: Final = "answers.jsonl"
RETENTION: Final = "retention.jsonl"
SUMMARY: Final = "summary.json"


@dataclass(frozen=True)
class Evaluator:
    """Evaluates one model.

    Attributes:
        tokenizer: the model's.
        adapter: what tells this adapter from another, as plain data; None for the base.
        system_prompt: as the questions were written with.
        replace: set results of another evaluation aside instead of refusing them.
    """

    writer: Writer
    tokenizer: Any
    log: EventLog
    adapter: Any
    system_prompt: str | None = None
    replace: bool = False

    def evaluate(self, questions: Questions, folder: Path) -> dict[str, Any]:
        """Answer, grade and, where it is asked for, compare with the base.

        Args:
            questions: the set.
            folder: gets the rows of every example and the summary; what is there of the same
                evaluation is gone on with.

        Returns:
            The summary, as `summary.json` has it.

        Raises:
            StudioError: `results_of_another`, a grader's or a file's failure.
            StopRequested: a stop was asked for.
        """
        weights: Weights = "base" if self.adapter is None else "student"
        settings = self._settings(questions)
        rows = Rows(folder / ANSWERS, settings, replace=self.replace)
        self._answer(questions, rows, weights)
        answers = rows.ordered()
        found = {"set": questions.of.name, **summarize(questions, answers)}
        if questions.of.retention:
            found["retention"] = self._compare(questions, answers, folder, settings)
        path = folder / SUMMARY
        text = json.dumps({**found, "settings": settings}, indent=2, ensure_ascii=False)
        try:
            write_atomically(path, text.encode())
        except OSError as error:
            raise write_failure(path, error) from error
        return found

    def _settings(self, questions: Questions) -> dict[str, Any]:
        return {
            "set": questions.of.model_dump(mode="json"),
            "data_sha256": questions.sha256,
            "system_prompt": self.system_prompt,
            "base": self.writer.identity(),
            "adapter": self.adapter,
            "sampling": sampling(questions.of)._asdict(),
            "seed": self.writer.seed,
            "versions": versions(),
        }

    def _answer(self, questions: Questions, rows: Rows, weights: Weights) -> None:
        of = questions.of
        wanted = [
            Item(question, sample)
            for question in range(len(questions.asked))
            for sample in range(of.samples)
        ]
        missing = [item for item in wanted if item not in rows.by_key]
        grader = Grader(of)
        grader.prepare([question.record for question in questions.asked])
        total = len(wanted)

        def finished(items: Sequence[Item], rollouts: Sequence[Rollout]) -> None:
            rows.add(self._grade(questions, grader, items, rollouts))
            self.log.phase("evaluating", f"Answering {of.name}", len(rows.by_key), total)

        self.log.phase("evaluating", f"Answering {of.name}", total - len(missing), total)
        self.writer.write(questions, missing, weights, finished)

    def _grade(
        self,
        questions: Questions,
        grader: Grader,
        items: Sequence[Item],
        rollouts: Sequence[Rollout],
    ) -> list[dict[str, Any]]:
        texts = [decode(self.tokenizer, rollout.ids, special=False) for rollout in rollouts]
        asked = [questions.asked[item.question] for item in items]
        grades = grader.grade([question.record for question in asked], texts)
        return [
            {
                "index": item.question,
                "sample": item.sample,
                "id": question.record.id,
                "line": question.record.line,
                "task": question.record.task,
                "prompt": question.text,
                "reference": question.record.answer,
                "answer": text,
                "ids": rollout.ids,
                "tokens": len(rollout.ids),
                "truncated": rollout.truncated,
                **grade._asdict(),
            }
            for item, question, rollout, text, grade in zip(
                items, asked, rollouts, texts, grades, strict=True
            )
        ]

    def _compare(
        self,
        questions: Questions,
        answers: Sequence[dict[str, Any]],
        folder: Path,
        settings: dict[str, Any],
    ) -> dict[str, Any]:
        """Score the model's answers, the base's and the references with both models."""
        base = self._base_answers(questions, answers)
        grader = Grader(questions.of)
        rows = Rows(folder / RETENTION, settings, replace=self.replace)
        missing = [row for row in answers if (row["index"], row["sample"]) not in rows.by_key]
        size = questions.of.batch_size
        done, total = len(answers) - len(missing), len(answers)
        for start in range(0, len(missing), size):
            self.log.phase("evaluating", f"Comparing on {questions.of.name}", done + start, total)
            batch = missing[start : start + size]
            keys = [(row["index"], row["sample"]) for row in batch]
            asked = [questions.asked[index] for index, _ in keys]
            completions = {
                "forward": [row["ids"] for row in batch],
                "reverse": [base[key].ids for key in keys],
                "gold": [question.reference for question in asked],
            }
            prompts = [question.prompt for question in asked]
            texts = [decode(self.tokenizer, base[key].ids, special=False) for key in keys]
            grades = grader.grade([question.record for question in asked], texts)
            parts = {
                direction: self._directions(prompts, ids, direction, size)
                for direction, ids in completions.items()
            }
            rows.add(
                {
                    "index": row["index"],
                    "sample": row["sample"],
                    "id": row["id"],
                    "correct": row["correct"],
                    "base_answer": texts[place],
                    "base_correct": grades[place].correct,
                    "base_extracted": grades[place].extracted,
                    "base_partial": grades[place].partial,
                    **{direction: found[place] for direction, found in parts.items()},
                }
                for place, row in enumerate(batch)
            )
        return summarize_retention(rows.ordered())

    def _directions(
        self, prompts: list[list[int]], completions: list[list[int]], direction: str, size: int
    ) -> list[dict[str, Any] | None]:
        """A comparison for each completion; None for an empty one, which says nothing."""
        found: list[dict[str, Any] | None] = [None] * len(prompts)
        places = [place for place, ids in enumerate(completions) if self._says_something(ids)]
        scored = compare(
            self.writer.network,
            [prompts[place] for place in places],
            [completions[place] for place in places],
            size,
            self.writer.interrupt,
        )
        for number, comparison in scored:
            place = places[number]
            found[place] = _means(comparison)
            if direction != "gold":  # the strips under both answers
                found[place] = (found[place] or {}) | {
                    "pieces": pieces(self.tokenizer, completions[place]),
                    "token_jsd": _rounded(comparison.jsd),
                    "token_base_logprob": _rounded(comparison.base),
                    "token_tuned_logprob": _rounded(comparison.tuned),
                }
        return found

    def _says_something(self, ids: Sequence[int]) -> bool:
        """Whether there is more than an end token."""
        return any(token not in self.writer.network.end_ids for token in ids)

    def _base_answers(
        self, questions: Questions, answers: Sequence[dict[str, Any]]
    ) -> dict[tuple[int, int], Rollout]:
        if self.adapter is None:
            return {
                (row["index"], row["sample"]): Rollout(row["ids"], row["truncated"])
                for row in answers
            }
        found: dict[tuple[int, int], Rollout] = {}
        items = [Item(row["index"], row["sample"]) for row in answers]

        def finished(batch: Sequence[Item], rollouts: Sequence[Rollout]) -> None:
            found.update(zip(batch, rollouts, strict=True))
            name = f"Answering {questions.of.name} with the base"
            self.log.phase("evaluating", name, len(found), len(items))

        self.writer.write(questions, items, "base", finished)
        return found


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(value, 6) for value in values]


def _means(comparison: Comparison) -> dict[str, Any]:
    tokens = len(comparison.jsd)
    return {
        "tokens": tokens,
        "base_logprob": sum(comparison.base) / tokens,
        "tuned_logprob": sum(comparison.tuned) / tokens,
        "jsd": sum(comparison.jsd) / tokens,
    }
