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
from core.mapping import record_from
from core.record import Record, SkippedError
from core.record_fields import Row, as_row
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
                remedy="Add records to it.",
                field=f"{source.place}.path",
            )
        )


def data_file(source: Source, *, training: bool = True) -> Path:
    """The file that the records come from.

    Raises:
        StudioError: `data_not_found`, or what `core.benchmarks.locate` raises.
    """
    if source.dataset is not None:
        raise StudioError(
            Problem(
                code="dataset_unresolved",
                message=f"Only the studio knows the data set {source.dataset}.",
                remedy="Start the run there, or give the path of a file.",
                field=f"{source.place}.dataset",
            )
        )
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
                remedy="Give the path of a JSONL, JSON, CSV or Parquet file as the worker sees it.",
                field=f"{source.place}.path",
            )
        )
    return path


def _records(
    path: Path, source: Source, skipped: Counter[str] | None, *, training: bool
) -> Iterator[Record]:
    if source.layout == "records":
        for number, row in _rows(path):
            yield record_from(row, number, source.fields, answer_first=source.answer_first)
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
    try:
        for number, row in rows(path):
            yield number, as_row(row, number)
    except OSError as error:
        raise StudioError(
            Problem(
                code="data_unreadable",
                message=f"The data file {path} cannot be opened: {error.strerror}.",
                remedy="Check its permissions.",
                field="data.path",
            )
        ) from error
