"""Plausible but wrong demonstrations, written by the base model and checked by the grader."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from core.prompts import demonstration, worked_answer
from core.records import Record, option
from worker.trainer.grading import after_answer, grade, normalized
from worker.trainer.preparation.asking import Asker, Question
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.wording import ask_for_wrong_reason, ask_for_wrong_solution
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Sampling
from worker.trainer.token_text import decode

HOW: Final = Sampling(temperature=0.9, top_p=0.95, top_k=0, max_tokens=96)


class Negatives(NamedTuple):
    """Usable wrong demonstrations per record, and why the others were thrown away."""

    of_record: list[list[str]]
    counts: dict[str, int]


def write_negatives(asker: Asker, records: Sequence[Record], count: int) -> Negatives:
    """Ask for `count` wrong demonstrations per record; throw away what is right or a repetition."""
    cache = Cache("negatives", asker.settings(HOW))
    plans = [(record, number) for record in records for number in range(count)]
    questions = [_question(asker, record, number) for record, number in plans]
    answers = asker.ask(cache, questions, HOW, "Writing negative demonstrations")
    counts: Counter[str] = Counter(asked=len(plans))
    of_record: dict[int, list[str]] = {record.line: [] for record in records}
    for (record, number), answer in zip(plans, answers, strict=True):
        text = decode(asker.chat.tokenizer, answer.ids, special=False).strip()
        written, problem = _demonstration(asker, record, number, text)
        if problem is None and written in of_record[record.line]:
            problem = "repeated"
        counts[problem or "usable"] += 1
        if problem is None:
            of_record[record.line].append(written)
    counts["records_without"] = sum(not found for found in of_record.values())
    return Negatives([of_record[record.line] for record in records], dict(counts))


def _question(asker: Asker, record: Record, number: int) -> Question:
    seed = derive_seed(asker.config.training.seed, "negative", record.id, number)
    if record.correct is None:
        messages = ask_for_wrong_solution(record)
    else:
        messages = ask_for_wrong_reason(record, _wrong_choice(asker, record, number))
    prompt = asker.prompt(messages)
    return Question([prompt, seed], prompt, seed)


def _wrong_choice(asker: Asker, record: Record, number: int) -> int:
    """The wrong options in turn, in an order of the record's own."""
    wrong = [index for index in range(len(record.choices)) if index != record.correct]
    seed = derive_seed(asker.config.training.seed, "wrong", record.id)
    random.Random(seed).shuffle(wrong)  # noqa: S311
    return wrong[number % len(wrong)]


def _demonstration(asker: Asker, record: Record, number: int, text: str) -> tuple[str, str | None]:
    """The demonstration in the form of a right one, and why it cannot be used."""
    config = asker.config
    if not text:
        return "", "empty"
    if record.correct is None:
        answer = after_answer(text)
        if answer == text or not answer:
            return "", "no_answer"
        reason = text[: text.rindex(answer)].rpartition("\n")[0].strip()
    else:
        answer = option(record.choices, _wrong_choice(asker, record, number))
        reason = " ".join(text.split())
    written = worked_answer(
        answer,
        reason if config.teacher.use_rationale else None,
        answer_first=config.data.answer_first,
    )
    if grade(record, f"Answer: {answer}").correct:
        return written, "right"
    if normalized(written) == normalized(demonstration(record, config)):
        return written, "reference"
    return written, None
