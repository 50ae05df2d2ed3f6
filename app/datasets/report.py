"""Looks through a data file once: what is good, what is broken, what is there twice."""

from __future__ import annotations

import hashlib
import json
import math
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.datasets.schemas import Column, Leaks, RawRow, Repeat, Report
from core.data_config import DataFields
from core.errors import Problem, StudioError
from core.mapping import guess_fields, record_from
from core.record import Record
from core.record_fields import as_row
from core.tables import scan

LISTED: Final = 100
"""Problems, duplicates and leaks that are listed; all are counted."""
_GUESSED_ROWS: Final = 100
_LONGEST_TEXT: Final = 2_000
_DEEPEST: Final = 6


class Row(NamedTuple):
    """A row, and the example that the mapping makes of it or why it makes none."""

    line: int
    raw: Any
    record: Record | StudioError


def mapped(path: Path, fields: DataFields) -> Iterator[Row]:
    """All rows of a file under a mapping."""
    for line, raw in scan(path):
        if isinstance(raw, StudioError):
            yield Row(line, None, raw)
            continue
        try:
            yield Row(line, raw, record_from(as_row(raw, line), line, fields))
        except StudioError as error:
            yield Row(line, raw, error)


def guess(path: Path) -> DataFields:
    """A mapping that suits the first rows."""
    first = islice(scan(path), _GUESSED_ROWS)
    return guess_fields([raw for _, raw in first if isinstance(raw, dict)])


def examine(path: Path, fields: DataFields, file_name: str) -> Report:
    """Report on a file under a mapping; holds sixteen bytes a row."""
    problems: list[Problem] = []
    tasks: Counter[str] = Counter()
    columns: dict[str, Counter[str]] = {}
    keys, lines = array("Q"), array("q")
    count = 0
    for count, row in enumerate(mapped(path, fields), start=1):
        if count <= _GUESSED_ROWS and isinstance(row.raw, dict):
            for name, value in row.raw.items():
                columns.setdefault(str(name), Counter())[type(value).__name__] += 1
        if isinstance(row.record, StudioError):
            if len(problems) < LISTED:
                problems.append(_named(row.record.problem, path, file_name, row.line, fields))
            continue
        tasks[row.record.task] += 1
        keys.append(prompt_key(row.record))
        lines.append(row.line)
    repeats = _repeats(_uint64(keys), _int64(lines))
    return Report(
        rows=count,
        good=len(keys),
        broken=count - len(keys),
        problems=problems,
        tasks=dict(tasks),
        columns=[Column(name=clean(name), types=sorted(types)) for name, types in columns.items()],
        duplicates=len(repeats),
        duplicate_lines=[Repeat(line=line, first=first) for line, first in repeats[:LISTED]],
    )


def _named(problem: Problem, path: Path, file_name: str, line: int, fields: DataFields) -> Problem:
    """The problem in a form that can be stored: with the file's own name, at the mapping's part."""
    told = clean(problem.message.replace(str(path), file_name), 1_000)
    update = {"message": told, "line": line, "field": _part(problem.message, fields)}
    return problem.model_copy(update=update)


def _part(message: str, fields: DataFields) -> str | None:
    """The part of the mapping whose column a message names first; None for a line as a whole."""
    places = {
        part: message.find(f"“{column}”")
        for part, column in fields.model_dump().items()
        if column and f"“{column}”" in message
    }
    return f"mapping.{min(places, key=places.__getitem__)}" if places else None


def prompt_key(record: Record) -> int:
    """Hash of what is asked, earlier messages included; white space and case do not count."""
    asked = "\0".join([*(turn.content for turn in record.turns), record.prompt])
    folded = " ".join(asked.casefold().split())
    return int.from_bytes(hashlib.blake2b(folded.encode(), digest_size=8).digest(), "big")


def _uint64(values: array[int]) -> NDArray[np.uint64]:
    return np.frombuffer(values, np.uint64) if values else np.zeros(0, np.uint64)


def _int64(values: array[int]) -> NDArray[np.int64]:
    return np.frombuffer(values, np.int64) if values else np.zeros(0, np.int64)


def _repeats(keys: NDArray[np.uint64], lines: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Lines whose prompt stands in an earlier line, with that line; in the file's order."""
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    original = first[inverse]
    again = np.flatnonzero(original != np.arange(len(keys)))
    return list(zip(lines[again].tolist(), lines[original[again]].tolist(), strict=True))


def leaks(train: tuple[Path, DataFields], evaluation: tuple[Path, DataFields]) -> Leaks:
    """Examples of the evaluation file whose prompt is also trained on."""
    trained, train_lines = _keys(*train)
    asked, lines = _keys(*evaluation)
    unique, first = np.unique(trained, return_index=True)
    place = np.searchsorted(unique, asked)
    place[place == len(unique)] = 0
    found = np.flatnonzero(unique[place] == asked) if len(unique) else np.zeros(0, np.int64)
    listed = found[:LISTED]
    pairs = zip(lines[listed].tolist(), train_lines[first[place[listed]]].tolist(), strict=True)
    return Leaks(
        train=len(trained),
        evaluation=len(asked),
        leaked=len(found),
        lines=[Repeat(line=line, first=first_line) for line, first_line in pairs],
    )


def _keys(path: Path, fields: DataFields) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    keys, lines = array("Q"), array("q")
    for row in mapped(path, fields):
        if isinstance(row.record, Record):
            keys.append(prompt_key(row.record))
            lines.append(row.line)
    return _uint64(keys), _int64(lines)


def preview(path: Path, fields: DataFields, *, limit: int, offset: int) -> list[RawRow]:
    """Some rows as they are and as the mapping makes them."""
    return [_shown_row(row) for row in islice(mapped(path, fields), offset, offset + limit)]


def _shown_row(row: Row) -> RawRow:
    broken = isinstance(row.record, StudioError)
    return RawRow(
        line=row.line,
        raw=shown(row.raw) if isinstance(row.raw, dict) else {},
        record=None if isinstance(row.record, StudioError) else row.record,
        problem=row.record.problem if broken and isinstance(row.record, StudioError) else None,
    )


def shown(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - whatever a file holds
    """A value that JSON can carry; long texts and deep nests are cut."""
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict) and depth < _DEEPEST:
        return {clean(str(key)): shown(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list) and depth < _DEEPEST:
        return [shown(inner, depth + 1) for inner in value[:_LONGEST_TEXT]]
    return clean(value if isinstance(value, str) else _told(value))


def _told(value: Any) -> str:  # noqa: ANN401 - as above
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        return "…"


def clean(text: str, longest: int = _LONGEST_TEXT) -> str:
    """Text that databases and JSON can carry."""
    cut = text if len(text) <= longest else text[:longest] + "…"
    return cut.replace("\0", "�").encode("utf-8", "replace").decode()
