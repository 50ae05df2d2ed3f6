"""GPQA: hard questions of biology, physics and chemistry; for evaluation only.

Whoever uses the data agrees not to publish its questions in plain text; nothing of it is here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Final

from core.benchmarks.benchmark import Benchmark, Split
from core.data_config import Source
from core.multiple_choice import Question, as_record
from core.record import Record
from core.record_fields import Row, identifier, optional_text, text

_WRONG: Final = tuple(f"Incorrect Answer {number}" for number in (1, 2, 3))


def parse(row: Row, number: int, source: Source) -> Iterator[Record]:
    """The right answer stands first in the file; the order here is random, but always the same."""
    own = identifier(row, number, "Record ID")
    right = text(row, "Correct Answer", number).strip()
    choices = [right, *(text(row, field, number).strip() for field in _WRONG)]
    order = list(range(len(choices)))
    random.Random(f"gpqa {own}").shuffle(order)  # noqa: S311 - an order, no secret
    question = Question(
        own,
        number,
        text(row, "Question", number).strip(),
        [choices[index] for index in order],
        order.index(0),
        optional_text(row, "Explanation", number),
    )
    yield as_record(question, answer_first=source.answer_first)


def _subset(name: str) -> Benchmark:
    file = f"gpqa_{name}.csv"
    return Benchmark(
        name=f"gpqa_{name}",
        title=f"GPQA {name}",
        licence="CC BY 4.0; its questions must not be published",
        repository="Idavidrein/gpqa",
        splits={"test": Split((f"gpqa/{file}", f"gpqa/dataset/{file}", f"dataset/{file}"), file)},
        train=None,
        evaluate="test",
        parse=parse,
    )


BENCHMARKS: Final = tuple(_subset(name) for name in ("main", "extended", "diamond"))
