"""What a benchmark is: where its files are, and how a row of them becomes a record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from core.data_config import Source
from core.record import Record
from core.record_fields import Row

Parse = Callable[[Row, int, Source], Iterable[Record]]
"""A row, its line and the settings, to records. May raise `StudioError` or `SkippedError`."""

Beside = Callable[[Path], Mapping[str, Row]]
"""A data file, to what other files beside it add to its rows, by the rows' identifiers."""


class Split(NamedTuple):
    """Where a split is found.

    Attributes:
        files: candidates below `UNISD_BENCHMARK_DIR`, the first that is there is taken.
        hub: pattern of the files' names in the hub's repository; empty where the hub has none.
        keep: which rows of the file belong to the split; None for all.
    """

    files: tuple[str, ...]
    hub: str = ""
    keep: Callable[[Row], bool] | None = None


class Benchmark(NamedTuple):
    """A benchmark.

    Attributes:
        name: as configurations call it.
        title: as people call it.
        licence: of the data.
        repository: data set on the hub; empty where there is none.
        splits: by name.
        train: the split to train on; None for what is for evaluation only.
        evaluate: the split to evaluate on.
        parse: a row to records.
        beside: reads what stands in another file beside the data file.
    """

    name: str
    title: str
    licence: str
    repository: str
    splits: Mapping[str, Split]
    train: str | None
    evaluate: str
    parse: Parse
    beside: Beside | None = None
