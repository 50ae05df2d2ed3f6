"""A configuration's records with the lengths of their prompts, kept between requests."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

from app.preflight.prompts import PromptCounter, load_counter
from app.preflight.schemas import PreflightColumn
from core.config import RunConfig
from core.prompts import student_messages, teacher_messages
from core.record import Record
from core.records import data_file, read_records
from core.tables import scan

RECORDS: Final = 20_000
"""Records that are read and counted; a larger file is told as such."""
_ROWS: Final = 200
_SAMPLE: Final = 80
_CHUNK: Final = 1_000
_one_at_a_time: Final = Lock()


class Measured(NamedTuple):
    """Records in file order.

    Attributes:
        file: where they are.
        size: its bytes.
        student, teacher: tokens of each record's prompts; empty without a tokenizer.
        skipped: rows left out, by reason.
        whole: whether these are all records.
    """

    file: Path
    size: int
    records: list[Record]
    student: list[int]
    teacher: list[int]
    skipped: dict[str, int]
    whole: bool


def measure(config: RunConfig, model: Path | None) -> Measured:
    """Read and count, or remember.

    Args:
        config: with a file in place of a data set.
        model: folder of the model, whose tokenizer works; None where there is none here.

    Raises:
        StudioError: what `core.records.read_records` raises.
        UnusableModelError: the chat template refuses a prompt.
    """
    file = data_file(config.data)
    state = file.stat()
    relevant = RunConfig(data=config.data, teacher=config.teacher)
    # Two requests for the same file would both count all of it.
    with _one_at_a_time:
        return _measure(relevant.model_dump_json(), model, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4)
def _measure(raw: str, model: Path | None, size: int, _modified: int) -> Measured:
    config = RunConfig.model_validate_json(raw)
    skipped: Counter[str] = Counter()
    found = list(islice(read_records(config.data, skipped=skipped), RECORDS + 1))
    records = found[:RECORDS]
    counter = load_counter(model) if model else None
    student = _lengths(counter, [student_messages(one, config) for one in records])
    teacher = _lengths(counter, [teacher_messages(one, config) for one in records])
    return Measured(
        data_file(config.data),
        size,
        records,
        student,
        teacher,
        dict(skipped),
        len(found) <= RECORDS,
    )


def _lengths(counter: PromptCounter | None, conversations: Sequence[Any]) -> list[int]:
    if counter is None:
        return []
    return [
        length
        for start in range(0, len(conversations), _CHUNK)
        for length in counter.lengths(
            [counter.render(messages) for messages in conversations[start : start + _CHUNK]]
        )
    ]


def columns(config: RunConfig, file: Path) -> tuple[int, list[PreflightColumn]]:
    """Rows looked at, and the columns in the order in which they appear."""
    rows = [row for _, row in islice(scan(file), _ROWS) if isinstance(row, dict)]
    names = dict.fromkeys(str(name) for row in rows for name in row)
    used = _uses(config)
    return len(rows), [_column(name, rows, used.get(name)) for name in names]


def _uses(config: RunConfig) -> dict[str, str]:
    """What each column is read as; of a benchmark's own files nothing is said."""
    if config.data.layout != "records":
        return {}
    fields = config.data.fields.model_dump()
    if fields["messages"] is not None:
        fields.pop("prompt")
    return {column: part for part, column in fields.items() if column is not None}


def _column(name: str, rows: Sequence[dict[str, Any]], used_as: str | None) -> PreflightColumn:
    values = [row[name] for row in rows if row.get(name) not in (None, "")]
    return PreflightColumn(
        name=name,
        types=sorted({_type(value) for value in values}),
        filled=len(values),
        used_as=used_as,
        sample=_shown(values[0]) if values else "",
    )


def _type(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever the file holds
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join(text.split())
    return text if len(text) <= _SAMPLE else f"{text[:_SAMPLE]}…"
