"""Worked examples: reading and checking them, row by row.

A record is data: nothing in it is evaluated. A broken line is refused with its number, so that
nothing is skipped silently; `skip_broken` leaves it out and counts it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from core.benchmarks import BENCHMARKS
from core.benchmarks.locate import find_file, not_found, split_name
from core.data_config import Source
from core.errors import Problem, StudioError
from core.mapping import record_from
from core.record import Record, SkippedError
from core.record_fields import Row, as_row
from core.tables import scan

BROKEN_ROW: Final = "broken_row"
"""Why a row was left out that `skip_broken` passes over."""


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
    make = _maker(path, source, training=training)
    for number, row in _scan(path):
        try:
            if isinstance(row, StudioError):
                raise row
            yield from make(as_row(row, number), number)
        except SkippedError as reason:
            _count(skipped, str(reason))
        except StudioError as error:
            if not source.skip_broken or error.problem.code != "data_invalid":
                raise
            _count(skipped, BROKEN_ROW)


def _count(skipped: Counter[str] | None, reason: str) -> None:
    if skipped is not None:
        skipped[reason] += 1


def _maker(path: Path, source: Source, *, training: bool) -> Callable[[Row, int], Iterable[Record]]:
    """What makes records of a row."""
    if source.layout == "records":
        fields, first = source.fields, source.answer_first
        return lambda row, number: [record_from(row, number, fields, answer_first=first)]
    benchmark = BENCHMARKS[source.layout]
    # Of a file that is named by its path, all rows are meant unless a split is named too.
    whole = source.path is not None and source.split is None
    split = None if whole else benchmark.splits[split_name(source, training=training)]
    beside = benchmark.beside(path) if benchmark.beside else {}

    def make(row: Row, number: int) -> Iterable[Record]:
        if split is not None and split.keep is not None and not split.keep(row):
            return ()
        more = beside.get(str(row.get("pid", row.get("id")))) if beside else None
        return benchmark.parse({**row, **more} if more else row, number, source)

    return make


def _scan(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        yield from scan(path)
    except OSError as error:
        raise StudioError(
            Problem(
                code="data_unreadable",
                message=f"The data file {path} cannot be opened: {error.strerror}.",
                remedy="Check its permissions.",
                field="data.path",
            )
        ) from error
