"""The questions of an evaluation as the model sees them."""

# ruff: noqa: ANN401 - the classes of tokenizers differ from model to model

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from core.benchmarks import BENCHMARKS
from core.data_config import EVALUATION_ONLY, Source
from core.evaluation_config import EvaluationSet
from core.prompts import Message, question_messages, reference_completion
from core.record import Record
from core.records import data_file, read_records
from worker.trainer.benchmark_files import obtain
from worker.trainer.chat import render
from worker.trainer.failures import mistake
from worker.trainer.files import file_sha256


class Question(NamedTuple):
    """A record as it is asked.

    Attributes:
        text: the whole prompt, as the chat template wrote it.
        prompt: its tokens.
        reference: tokens of the reference completion, its end token included.
    """

    record: Record
    text: str
    prompt: list[int]
    reference: list[int]


class Questions(NamedTuple):
    """A set's questions.

    Attributes:
        dropped: records left out, by reason.
        sha256: of the data file.
    """

    of: EvaluationSet
    asked: list[Question]
    dropped: dict[str, int]
    sha256: str

    @property
    def chance(self) -> float | None:
        """Accuracy of guessing among the options, or None where there are none."""
        choices = [len(one.record.choices) for one in self.asked]
        if not choices or not all(choices):
            return None
        return sum(1 / count for count in choices) / len(choices)


def load_questions(
    wanted: EvaluationSet, tokenizer: Any, system_prompt: str | None, context: int | None
) -> Questions:
    """Read a set and write its prompts.

    Args:
        wanted: the set.
        tokenizer: the model's.
        system_prompt: put before every question.
        context: positions that the model knows, or None if it does not say.

    Raises:
        StudioError: the data cannot be read, or no question fits.
    """
    skipped: Counter[str] = Counter()
    source = obtain(wanted, training=False)
    records = list(read_records(source, training=False, skipped=skipped))
    shown = _few_shot(wanted, {record.prompt for record in records})
    asked = []
    for record in records:
        messages = question_messages(record, shown, system_prompt, answer_first=wanted.answer_first)
        question = _ask(record, messages, tokenizer, wanted)
        if context is not None and len(question.prompt) + wanted.max_new_tokens > context:
            skipped["prompt_too_long"] += 1
        else:
            asked.append(question)
    if not asked:
        raise mistake(
            "context_too_long",
            f"No question of {wanted.name} leaves room for an answer of {wanted.max_new_tokens} "
            f"tokens in the model's context of {context}.",
            "Lower max_new_tokens or few_shot.",
            field=f"{wanted.place}.max_new_tokens",
        )
    return Questions(wanted, asked, dict(skipped), file_sha256(data_file(source)))


def _ask(
    record: Record, messages: list[Message], tokenizer: Any, wanted: EvaluationSet
) -> Question:
    text = render(tokenizer, messages, record)
    answer = reference_completion(record, answer_first=wanted.answer_first)
    ends = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    return Question(record, text, _tokens(tokenizer, text), [*_tokens(tokenizer, answer), *ends])


def _tokens(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def _few_shot(wanted: EvaluationSet, asked: set[str]) -> Sequence[Record]:
    """Worked examples, the same for every question, none of which is a question itself."""
    if not wanted.few_shot:
        return ()
    settings = wanted.model_dump(include=set(Source.model_fields)) | {"limit": None}
    if wanted.benchmark is not None:
        settings["split"] = None
    if wanted.layout in EVALUATION_ONLY:
        title = BENCHMARKS[wanted.layout].title
        raise mistake(
            "few_shot_impossible",
            f"{title} has no training split to take worked examples from.",
            "Set few_shot to 0.",
            field=f"{wanted.place}.few_shot",
        )
    source = obtain(Source.model_validate(settings), training=True)
    pool = [record for record in read_records(source) if record.prompt not in asked]
    if len(pool) < wanted.few_shot:
        raise mistake(
            "too_few_records",
            f"{wanted.few_shot} worked examples are to be shown with {wanted.name}, but only "
            f"{len(pool)} records are not asked themselves.",
            "Lower few_shot, or set limit so that some records are left to show.",
            field=f"{wanted.place}.few_shot",
        )
    return random.Random(f"few-shot {wanted.name}").sample(pool, wanted.few_shot)  # noqa: S311
