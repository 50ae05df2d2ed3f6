"""Worked examples: reading and checking them, row by row.

A record is data: nothing in it is evaluated. A broken line is refused with its number, so that
nothing is skipped silently.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from core.benchmarks import BENCHMARKS
from core.benchmarks.locate import find_file, not_found, split_name
from core.data_config import Source
from core.errors import Problem, StudioError
from core.multiple_choice import Question, as_record
from core.record import Record, SkippedError
from core.record_fields import (
    Row,
    broken,
    identifier,
    options,
    position,
    text,
)
from core.tables import rows


def read_records(
    source: Source,
    *,
    training: bool = True,
    skipped: Counter[str] | None = None,
) -> Iterator[Record]:
    """Stream the records of a data file or a benchmark.

    Args:
        source: which.
        training: which split of a benchmark is meant where none is named.
        skipped: counts, by reason, what was left out though it is no mistake.

    Raises:
        StudioError: the file is missing or unreadable (`data_not_found`, `benchmark_not_found`,
            `data_unreadable`), a line is not what the format asks for (`data_invalid`, with its
            line), or there is no record at all (`data_empty`).
    """
    path = data_file(source, training=training)
    found = False
    for record in islice(_records(path, source, skipped, training=training), source.limit):
        found = True
        yield record
    if not found:
        raise StudioError(
            Problem(
                code="data_empty",
                message=f"The data file {path} holds no record.",
                remedy="Write one JSON object a line.",
                field=f"{source.place}.path",
            )
        )


def data_file(source: Source, *, training: bool = True) -> Path:
    """The file that the records come from.

    Raises:
        StudioError: `data_not_found`, or what `core.benchmarks.locate` raises.
    """
    if source.path is None:
        split = split_name(source, training=training)
        benchmark = BENCHMARKS[source.layout]
        found = find_file(benchmark, split)
        if found is None:
            raise not_found(benchmark, split, source.place)
        return found
    path = Path(source.path).expanduser()
    if not path.is_file():
        raise StudioError(
            Problem(
                code="data_not_found",
                message=f"The data file {path} does not exist.",
                remedy="Give the path of a JSONL file as the worker sees it.",
                field=f"{source.place}.path",
            )
        )
    return path


def _records(
    path: Path, source: Source, skipped: Counter[str] | None, *, training: bool
) -> Iterator[Record]:
    if source.layout == "records":
        for number, row in _rows(path):
            yield _from_fields(row, number, source)
        return
    benchmark = BENCHMARKS[source.layout]
    # Of a file that is named by its path, all rows are meant unless a split is named too.
    whole = source.path is not None and source.split is None
    split = None if whole else benchmark.splits[split_name(source, training=training)]
    beside = benchmark.beside(path) if benchmark.beside else {}
    for number, row in _rows(path):
        if split is not None and split.keep is not None and not split.keep(row):
            continue
        more = beside.get(str(row.get("pid", row.get("id")))) if beside else None
        try:
            yield from benchmark.parse({**row, **more} if more else row, number, source)
        except SkippedError as reason:
            if skipped is not None:
                skipped[str(reason)] += 1


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    """Rows of a file with their numbers."""
    number = 0
    try:
        for number, row in rows(path):
            if not isinstance(row, dict):
                raise broken(
                    number,
                    f"holds a {type(row).__name__}, not an object",
                    "Write one JSON object a line.",
                )
            yield number, row
    except (OSError, EOFError) as error:
        raise StudioError(
            Problem(
                code="data_unreadable",
                message=f"The data file {path} could not be read after line {number}: {error}.",
                remedy="Check its permissions, and that a gzipped file is whole.",
                field="data.path",
            )
        ) from error


def _from_fields(row: Row, number: int, source: Source) -> Record:
    fields = source.fields
    rationale = fields.rationale
    reason = text(row, rationale, number) if rationale and row.get(rationale) else None
    if fields.choices and row.get(fields.choices):
        choices = options(row, fields.choices, number)
        asked, answer = text(row, fields.prompt, number), text(row, fields.answer, number)
        correct = position(answer, choices, number)
        question = Question(identifier(row, number), number, asked, choices, correct, reason)
        return as_record(question, answer_first=source.answer_first)
    return Record(
        id=identifier(row, number),
        line=number,
        prompt=text(row, fields.prompt, number),
        answer=text(row, fields.answer, number),
        rationale=reason,
    )
