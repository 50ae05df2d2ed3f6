"""Sums of disagreement over the tokens of Parquet files, by text and by part of the answer.

A file's sums are kept, by how many rows it had, so that a report about a run that goes on reads
what is new and no more.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.trajectories.reading import opened

MOST_KEPT: Final = 600
_UNKNOWN: Final = ""
_Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TextSum:
    """Tokens of one text in one file.

    Attributes:
        total: sum of their disagreement.
        most: the largest.
        row: of the rollout that has it.
        token: its place there.
    """

    text: str
    count: int
    total: float
    most: float
    row: int
    token: int


@dataclass(frozen=True, slots=True)
class PartSum:
    """Tokens of one part of the answer in one file; `weighted` of them have a weight."""

    part: str
    count: int
    total: float
    weighted: int
    weight: float


@dataclass(frozen=True)
class FileSums:
    """What the tokens of a file come to.

    Attributes:
        rows: of the file, also those without a disagreement.
    """

    rows: int
    rollouts: int
    tokens: int
    texts: list[TextSum] = field(default_factory=list)
    parts: list[PartSum] = field(default_factory=list)


_kept: OrderedDict[tuple[str, int], FileSums] = OrderedDict()
_lock = Lock()


def sums_of(key: str, rows: int, path: Callable[[], Path]) -> FileSums:
    """The sums of a file.

    Args:
        key: its name for ever.
        rows: rows that it is known to have. There may be more by now; or fewer in a copy of
            earlier, the sums of which are not kept.
        path: says where it is; asked only if it has to be read.

    Raises:
        ArtifactNotThereYetError: it is not in the store yet.
        UnavailableError: it cannot be read.
    """
    with _lock:
        found = _kept.get((key, rows))
        if found is not None:
            _kept.move_to_end((key, rows))
            return found
    made = _read(path())
    if made.rows < rows:
        return made
    with _lock:
        _kept[key, rows] = made
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return made


def is_kept(key: str, rows: int) -> bool:
    """Whether the sums of a file are known already."""
    with _lock:
        return (key, rows) in _kept


def _read(path: Path) -> FileSums:
    with opened(path) as file:
        names = set(file.schema_arrow.names)
        wanted = {"tokens", "parts", "disagreement", "weight", "agreement_level"} & names
        held = file.metadata.num_rows
        if "disagreement" not in names:
            return FileSums(held, 0, 0)
        columns = file.read(columns=[*wanted]).to_pydict()
        if "sequence" in columns.get("agreement_level", ()):
            more = {"auxiliary_logprobs", "agreement_statistic"} & names
            columns |= file.read(columns=[*more]).to_pydict()
    disagreement = columns["disagreement"]
    rows = [row for row, values in enumerate(disagreement) if values]
    if not rows:
        return FileSums(held, 0, 0)
    values = [_by_token(columns, row) for row in rows]
    lengths = [len(one) for one in values]
    flat = np.concatenate(values)
    row_of = np.repeat(np.array(rows), lengths)
    place_of = np.concatenate([np.arange(length) for length in lengths])
    texts = _joined(columns["tokens"][row] for row in rows)
    parts = _joined(
        columns.get("parts", dict.fromkeys(rows))[row] or [_UNKNOWN] * length
        for row, length in zip(rows, lengths, strict=True)
    )
    weights = np.concatenate(
        [
            np.array(columns["weight"][row] or [np.nan] * length, dtype=float)
            for row, length in zip(rows, lengths, strict=True)
        ]
    )
    return FileSums(
        held,
        len(rows),
        len(flat),
        _by_text(texts, flat, row_of, place_of),
        _by_part(parts, flat, weights),
    )


def _by_token(columns: dict[str, list[Any]], row: int) -> _Numbers:
    """Disagreement at each token, also where the weight is one of the whole sequence."""
    levels, views = columns.get("agreement_level"), columns.get("auxiliary_logprobs")
    if levels and views and levels[row] == "sequence" and views[row]:
        of_views = np.array(views[row], dtype=float)
        statistics = columns.get("agreement_statistic")
        is_range = statistics is not None and statistics[row] == "range"
        spread: _Numbers = np.ptp(of_views, 0) if is_range else np.var(of_views, axis=0, ddof=1)
        return spread
    return np.array(columns["disagreement"][row], dtype=float)


def _joined(lists: Iterable[Sequence[str]]) -> Any:  # noqa: ANN401 - an array of Arrow's
    import pyarrow as pa  # noqa: PLC0415 - large, and seldom needed

    return pa.array([text for one in lists for text in one], pa.string())


def _codes(texts: Any) -> tuple[list[str], npt.NDArray[np.int64]]:  # noqa: ANN401 - an array
    encoded = texts.dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64)


def _by_text(
    texts: Any,  # noqa: ANN401 - an array of Arrow's
    values: _Numbers,
    row_of: npt.NDArray[np.int64],
    place_of: npt.NDArray[np.int64],
) -> list[TextSum]:
    names, codes = _codes(texts)
    counts = np.bincount(codes, minlength=len(names))
    totals = np.bincount(codes, values, minlength=len(names))
    # The last of each text in this order is that with the largest value.
    order = np.lexsort((values, codes))
    last = order[np.cumsum(counts) - 1]
    return [
        TextSum(
            name,
            int(counts[code]),
            float(totals[code]),
            float(values[last[code]]),
            int(row_of[last[code]]),
            int(place_of[last[code]]),
        )
        for code, name in enumerate(names)
    ]


def _by_part(parts: Any, values: _Numbers, weights: _Numbers) -> list[PartSum]:  # noqa: ANN401
    names, codes = _codes(parts)
    known = ~np.isnan(weights)
    return [
        PartSum(
            name,
            int((codes == code).sum()),
            float(values[codes == code].sum()),
            int((known & (codes == code)).sum()),
            float(weights[known & (codes == code)].sum()),
        )
        for code, name in enumerate(names)
    ]


class Clock:
    """Time that a request may take for what can be done in the next one."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    @property
    def over(self) -> bool:
        """Whether it is used up."""
        return time.monotonic() > self._until
