"""GSM8K: school arithmetic in words; the result follows `####`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from core.benchmarks.benchmark import Benchmark, Split
from core.data_config import Source
from core.record import Record
from core.record_fields import Row, broken, identifier, text

ASK: Final = "Work it out step by step. End with a line “Answer: ” and the number."
_CALCULATOR: Final = re.compile(r"<<[^<>]*>>")
"""Notes for a calculator inside the worked solutions: `<<48/2=24>>`."""


def parse(row: Row, number: int, source: Source) -> Iterator[Record]:  # noqa: ARG001
    """The worked solution without the calculator's notes, and the result."""
    solution, mark, result = text(row, "answer", number).rpartition("####")
    if not mark or not result.strip():
        raise broken(number, "has no result after “####” in “answer”", "See the GSM8K format.")
    yield Record(
        id=identifier(row, number),
        line=number,
        prompt=f"{text(row, 'question', number)}\n{ASK}",
        answer=result.strip(),
        rationale=_CALCULATOR.sub("", solution).strip() or None,
        number=result.strip().replace(",", ""),
    )


BENCHMARK: Final = Benchmark(
    name="gsm8k",
    title="GSM8K",
    licence="MIT",
    repository="openai/gsm8k",
    splits={
        "train": Split(
            ("gsm8k/train.jsonl.gz", "gsm8k/train.jsonl"),
            "main/train-*.parquet",
        ),
        "test": Split(
            ("gsm8k/test.jsonl.gz", "gsm8k/test.jsonl", "gsm8k/test_first500.jsonl.gz"),
            "main/test-*.parquet",
        ),
    },
    train="train",
    evaluate="test",
    parse=parse,
)
