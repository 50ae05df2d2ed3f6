"""ScienceQA: school questions with a lecture and a worked solution; without the images."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from core.benchmarks.benchmark import Benchmark, Split
from core.data_config import Source
from core.multiple_choice import Question, as_record
from core.record import IMAGE_QUESTION, Record, SkippedError
from core.record_fields import Row, broken, identifier, optional_text, options, required, text


def parse(row: Row, number: int, source: Source) -> Iterator[Record]:
    """Question after its context: lecture where it is wanted, hint, caption of the image."""
    caption = optional_text(row, "caption", number) if source.captions else None
    if row.get("image") and caption is None:
        raise SkippedError(IMAGE_QUESTION)
    choices = options(row, "choices", number)
    correct = required(row, "answer", number)
    if not isinstance(correct, int) or isinstance(correct, bool) or not 0 <= correct < len(choices):
        raise broken(number, "has no index of an option in “answer”", "See the ScienceQA format.")
    context = (
        optional_text(row, "lecture", number) if source.lecture else None,
        optional_text(row, "hint", number),
        f"Image: {caption}" if caption else None,
        text(row, "question", number),
    )
    question = Question(
        identifier(row, number, "pid" if "pid" in row else "id"),
        number,
        "\n".join(filter(None, context)),
        choices,
        correct,
        optional_text(row, "solution", number),
    )
    yield as_record(question, answer_first=source.answer_first)


def captions(path: Path) -> dict[str, Row]:
    """The captions that ScienceQA publishes in a file of their own, by question."""
    file = path.parent / "captions.json"
    if not file.is_file():
        return {}
    of_question = json.loads(file.read_bytes()).get("captions")
    known = of_question if isinstance(of_question, dict) else {}
    return {str(pid): {"caption": caption} for pid, caption in known.items()}


def _of(split: str) -> Callable[[Row], bool]:
    return lambda row: row.get("split", split) == split


def _split(name: str, hub: str) -> Split:
    return Split(
        (
            f"scienceqa/scienceqa_{name}.jsonl.gz",
            f"scienceqa_text/scienceqa_text_{name}.jsonl.gz",
            "scienceqa/problems.json",
            "data/scienceqa/problems.json",
        ),
        f"data/{hub}-*.parquet",
        _of(name),
    )


BENCHMARK: Final = Benchmark(
    name="scienceqa",
    title="ScienceQA",
    licence="CC BY-NC-SA 4.0",
    repository="derek-thomas/ScienceQA",
    splits={
        "train": _split("train", "train"),
        "val": _split("val", "validation"),
        "test": _split("test", "test"),
    },
    train="train",
    evaluate="test",
    parse=parse,
    beside=captions,
)
