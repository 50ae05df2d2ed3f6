"""The whole of a filtered list as CSV, written while it is read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from app.db import Database
from app.runs import listing, present
from app.runs.fields import BY_METRIC, BY_PARAMETER, field_of, metric_of

_AT_ONCE: Final = 500
_ALL: Final = 2**31 - 1
_PLAIN: Final = (
    "id",
    "name",
    "status",
    "kind",
    "method",
    "model",
    "data",
    "seed",
    "study",
    "worker",
    "project",
    "attempt",
    "priority",
    "last_loss",
    "created_at",
    "started_at",
    "finished_at",
)
_READ: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "mechanism": lambda row: " ".join(row["mechanisms"]),
    "tag": lambda row: ",".join(row["tags"]),
    "step": lambda row: row["progress"]["step"],
    "total_steps": lambda row: row["progress"]["total_steps"],
    "duration": lambda row: row["duration_seconds"],
    "progress": lambda row: _share(row["progress"]),
}
COLUMNS: Final = (*_PLAIN, *_READ)
"""What is written unless columns are asked for."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def lines(
    database: Database, wanted: listing.RunFilter, *, sort: str, columns: Sequence[str]
) -> Iterator[str]:
    """A line of names, then one for each run.

    Raises:
        StudioError: a column or the field to sort by is not known; before the first line.
    """
    for name in columns:
        if name not in COLUMNS:
            field_of(name, "column")
    # Once the first line is sent, nothing can be refused any more.
    with database.read() as session:
        ids = listing.list_ids(session, wanted, sort=sort, limit=_ALL, offset=0)
    return _lines(database, ids, columns)


def _lines(database: Database, ids: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    params = [name.removeprefix(BY_PARAMETER) for name in columns if name.startswith(BY_PARAMETER)]
    metrics = [metric_of(name)[0] for name in columns if name.startswith(BY_METRIC)]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    for start in range(0, len(ids), _AT_ONCE):
        # A short transaction each: a slow reader keeps none open.
        with database.read() as session:
            some = ids[start : start + _AT_ONCE]
            rows = present.rows(session, some, params=params, metric_names=metrics)
        for row in rows:
            writer.writerow([_cell(row, name) for name in columns])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
    if not ids:
        yield buffer.getvalue()


def _cell(row: dict[str, Any], name: str) -> object:
    value = _value(row, name)
    # A spreadsheet would take such a text for a formula.
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _value(row: dict[str, Any], name: str) -> Any:  # noqa: ANN401 - any cell
    if name.startswith(BY_METRIC):
        metric, which = metric_of(name)
        found = row["metrics"].get(metric, {})
        return found.get("non_finite") or found.get("last") if which == "last" else found.get(which)
    if name.startswith(BY_PARAMETER):
        return row["params"].get(name.removeprefix(BY_PARAMETER))
    if name in _READ:
        return _READ[name](row)
    value = row[name]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _share(progress: dict[str, Any]) -> float | None:
    total = progress["total_steps"]
    return progress["step"] / total if total else None
