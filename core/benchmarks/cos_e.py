"""CoS-E v1.11: CommonsenseQA questions with crowd-sourced explanations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from core.benchmarks.benchmark import Benchmark, Split
from core.data_config import Source
from core.multiple_choice import Question, as_record
from core.record import Record
from core.record_fields import (
    LETTERS,
    Row,
    broken,
    identifier,
    optional_text,
    options,
    plain_text,
    position,
    required,
    text,
)
from core.tables import rows


def parse(row: Row, number: int, source: Source) -> Iterator[Record]:
    """A row as the hub's data set has it, or as CommonsenseQA publishes it."""
    if "answerKey" in row or isinstance(row.get("question"), Mapping):
        yield as_record(_from_commonsense_qa(row, number), answer_first=source.answer_first)
        return
    choices = options(row, "choices", number)
    question = Question(
        identifier(row, number),
        number,
        text(row, "question", number),
        choices,
        position(text(row, "answer", number), choices, number),
        optional_text(row, "abstractive_explanation", number),
    )
    yield as_record(question, answer_first=source.answer_first)


def _from_commonsense_qa(row: Row, number: int) -> Question:
    """Question, options with labels, and the right label; the explanation was joined to it."""
    asked = required(row, "question", number)
    if not isinstance(asked, Mapping):
        raise broken(number, "has no object in “question”", "See CommonsenseQA.")
    choices = required(asked, "choices", number)
    if not isinstance(choices, list) or not all(isinstance(one, Mapping) for one in choices):
        raise broken(number, "has no list of options in “question.choices”", "See CommonsenseQA.")
    labels = [text(one, "label", number) for one in choices]
    answer = text(row, "answerKey", number)
    if answer not in labels or not 2 <= len(labels) <= len(LETTERS):
        raise broken(number, "has no option with the label in “answerKey”", "See CommonsenseQA.")
    explanation = row.get("explanation")
    reason = explanation.get("open-ended") if isinstance(explanation, Mapping) else None
    return Question(
        identifier(row, number),
        number,
        text(asked, "stem", number),
        [text(one, "text", number) for one in choices],
        labels.index(answer),
        plain_text(reason, "explanation", number).strip() if reason else None,
    )


def explanations(path: Path) -> dict[str, Row]:
    """The explanations that CoS-E publishes apart from CommonsenseQA's questions, by id."""
    if "rand_split" not in path.name:
        return {}
    part = "train" if path.name.startswith(("train", "commonsenseqa_train")) else "dev"
    found = sorted(path.parent.glob(f"cose_{part}_v1.11.jsonl*"))
    return {str(row.get("id")): row for file in found[:1] for _, row in rows(file)}


BENCHMARK: Final = Benchmark(
    name="cos_e",
    title="CoS-E v1.11",
    licence="BSD-3-Clause (explanations), MIT (questions)",
    repository="Salesforce/cos_e",
    splits={
        "train": Split(
            (
                "cos_e/cos_e_v1.11_train.jsonl.gz",
                "cos_e/cos_e_v1.11_train.jsonl",
                "cos_e/raw/commonsenseqa_train_rand_split.jsonl.gz",
                "cos_e/train_rand_split.jsonl",
            ),
            "v1.11/train-*.parquet",
        ),
        "validation": Split(
            (
                "cos_e/cos_e_v1.11_validation.jsonl.gz",
                "cos_e/cos_e_v1.11_validation.jsonl",
                "cos_e/raw/commonsenseqa_dev_rand_split.jsonl.gz",
                "cos_e/dev_rand_split.jsonl",
            ),
            "v1.11/validation-*.parquet",
        ),
    },
    train="train",
    evaluate="validation",
    parse=parse,
    beside=explanations,
)
