"""Plausible but wrong demonstrations, written by the base model and checked by the grader."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from core.benchmarks import toolalpaca
from core.benchmarks.code import fenced
from core.multiple_choice import option
from core.prompts import demonstration, negative_messages, worked_answer
from core.record import Record
from core.record_fields import LETTERS
from worker.trainer.grading import grade
from worker.trainer.grading.choice import extract_letter
from worker.trainer.grading.graders import Grader
from worker.trainer.grading.texts import normalized, split_answer
from worker.trainer.grading.tools import extract_calls
from worker.trainer.preparation.asking import Asker, Question
from worker.trainer.preparation.cache import Cache
from worker.trainer.preparation.wording import ask_for_wrong_reason, ask_for_wrong_solution
from worker.trainer.randomness import derive_seed
from worker.trainer.rollout import Rollout, Sampling
from worker.trainer.token_text import decode

HOW: Final = Sampling(temperature=0.9, top_p=0.95, top_k=0, max_tokens=96)
LONGER: Final = 256
"""Tokens for a program or for calls of tools, which are of no use when they are cut off."""
_OWN_ANSWER: Final = re.compile(r"^\W*(?:final |the )?answer\b\W*[:=].*$", re.I | re.M)
"""A line in which the model names the answer itself; the demonstration names it in its form."""


class Negatives(NamedTuple):
    """Usable wrong demonstrations per record, and why the others were thrown away.

    Attributes:
        counts: `asked`, `usable`, `records_without`, and the number of each reason:
            `question_too_long` (the model has no room to write one), `empty` (nothing, or no whole
            sentence), `no_answer`, `right`, `inconsistent` (argues for another option), `reference`
            (says what the record's own demonstration says), `repeated`, `too_long` (its prompt does
            not fit).
    """

    of_record: list[list[str]]
    counts: dict[str, int]


class _Plan(NamedTuple):
    """One demonstration to write: for which record, and for which wrong option if it has any."""

    row: int
    record: Record
    choice: int | None
    question: Question | None


class _UnusableError(Exception):
    """A demonstration cannot be used; its argument is the reason."""


def write_negatives(asker: Asker, records: Sequence[Record], count: int) -> Negatives:
    """Write `count` wrong demonstrations per record; throw away what is not wrong, or not usable.

    A bare wrong option needs no model: there are as many as the record has, `count` at most.
    """
    how = HOW
    if any(record.written is not None for record in records):
        how = HOW._replace(max_tokens=LONGER)
    cache = Cache("negatives", asker.settings(how))
    plans = [
        plan for row, record in enumerate(records) for plan in _plans(asker, row, record, count)
    ]
    asked = [
        plan.question
        for plan in plans
        if plan.question and asker.has_room(plan.question.prompt, how)
    ]
    answers = iter(asker.ask(cache, asked, how, "Writing negative demonstrations") if asked else [])
    counts: Counter[str] = Counter(asked=len(plans))
    of_record: list[list[str]] = [[] for _ in records]
    for plan in plans:
        try:
            written = _write(asker, plan, answers, how)
            _check(asker, plan.record, written, of_record[plan.row])
        except _UnusableError as reason:
            counts[str(reason)] += 1
        else:
            counts["usable"] += 1
            of_record[plan.row].append(written)
    counts["records_without"] = sum(not found for found in of_record)
    return Negatives(of_record, dict(counts))


def _plans(asker: Asker, row: int, record: Record, count: int) -> Iterator[_Plan]:
    if record.correct is None:
        for number in range(count):
            question = _question(asker, record, number, None)
            yield _Plan(row, record, None, question)
        return
    wrong = _wrong_choices(asker, record)
    if not _shows_reason(asker, record):
        yield from (_Plan(row, record, choice, None) for choice in wrong[:count])
        return
    for number in range(count):
        choice = wrong[number % len(wrong)]
        yield _Plan(row, record, choice, _question(asker, record, number, choice))


def _wrong_choices(asker: Asker, record: Record) -> list[int]:
    """The wrong options, in an order of the record's own."""
    wrong = [index for index in range(len(record.choices)) if index != record.correct]
    seed = derive_seed(asker.config.training.seed, "wrong", record.id)
    random.Random(seed).shuffle(wrong)  # noqa: S311
    return wrong


def _shows_reason(asker: Asker, record: Record) -> bool:
    """Whether the right demonstration has reasoning: a wrong one must not differ in its form."""
    return asker.config.teacher.use_rationale and record.rationale is not None


def _question(asker: Asker, record: Record, number: int, choice: int | None) -> Question:
    seed = derive_seed(asker.config.training.seed, "negative", record.id, number)
    if choice is None:
        messages = ask_for_wrong_solution(record)
    else:
        messages = ask_for_wrong_reason(record, choice)
    prompt = asker.prompt(messages)
    return Question([prompt, seed], prompt, seed)


def _write(asker: Asker, plan: _Plan, answers: Iterator[Rollout], how: Sampling) -> str:
    """The demonstration in the form of a right one.

    Raises:
        _UnusableError: what the model wrote is of no use.
    """
    text = ""
    if plan.question is not None:
        if not asker.has_room(plan.question.prompt, how):
            raise _UnusableError("question_too_long")
        answer = next(answers)
        if plan.record.written is not None:
            return _in_form(
                asker, plan.record, decode(asker.chat.tokenizer, answer.ids, special=False)
            )
        text = asker.text(answer)
        if not text:
            raise _UnusableError("empty")
    if plan.choice is None:
        reason, conclusion = _solution(plan.record, text)
    else:
        reason = _argument(plan.record, plan.choice, text) if plan.question else ""
        conclusion = option(plan.record.choices, plan.choice)
    shown = reason if _shows_reason(asker, plan.record) else None
    return worked_answer(conclusion, shown, answer_first=asker.config.data.answer_first)


def _in_form(asker: Asker, record: Record, text: str) -> str:
    """Code or calls as the right ones are shown, if they are wrong: code must fail a test."""
    if record.tests is not None:
        grader = Grader(asker.config.evaluation.model_copy(update={"grader": None}))
        (verdict,) = grader.grade([record], [text])
        written = None if verdict.extracted is None else fenced(verdict.extracted)
    else:
        verdict = grade(record, text)
        calls = extract_calls(text)
        written = toolalpaca.written(calls) if calls else None
    if written is None:
        raise _UnusableError("no_answer")
    if verdict.correct:
        raise _UnusableError("right")
    return written


def _solution(record: Record, text: str) -> tuple[str, str]:
    """Reasoning and answer of a free text."""
    found = split_answer(text)
    if found is None:
        raise _UnusableError("no_answer")
    if grade(record, f"Answer: {found[1]}").correct:
        raise _UnusableError("right")
    return found


def _argument(record: Record, choice: int, text: str) -> str:
    """The reasoning for a wrong option, if it is for that option."""
    letter = extract_letter(text, record.choices)
    if letter is not None and letter != LETTERS[choice]:
        raise _UnusableError("right" if letter == _right(record) else "inconsistent")
    reason = " ".join(_OWN_ANSWER.sub(" ", text).split())
    if not reason:
        raise _UnusableError("empty")
    return reason


def _right(record: Record) -> str | None:
    return None if record.correct is None else LETTERS[record.correct]


def _check(asker: Asker, record: Record, written: str, others: Sequence[str]) -> None:
    """Raise `_UnusableError` for what says nothing new, or makes the prompt too long."""
    said = normalized(written)
    if said == normalized(demonstration(record, asker.config)):
        raise _UnusableError("reference")
    if said in map(normalized, others):
        raise _UnusableError("repeated")
    view = asker.chat.view(negative_messages(record, written, asker.config), record)
    if len(view.ids) > asker.longest_view:
        raise _UnusableError("too_long")
