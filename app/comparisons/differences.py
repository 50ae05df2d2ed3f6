"""What runs were made with, field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.comparisons.schemas import ConfigRow, Source

_SEEDS: Final = {"training.seed", "seed"}


def rows(source: Source, columns: Sequence[Sequence[Mapping[str, Any]]]) -> list[ConfigRow]:
    """Every field in the order of the first run that has it.

    Args:
        source: where they come from.
        columns: of each column its runs' settings, nested as they are stored.
    """
    flat = [[flatten(run) for run in column] for column in columns]
    paths = dict.fromkeys(path for column in flat for run in column for path in run)
    return [_row(source, path, flat) for path in paths]


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by dotted path; lists, and maps without entries, are values."""
    found: dict[str, Any] = {}
    for name, value in settings.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping) and value:
            found |= flatten(value, f"{path}.")
        else:
            found[path] = value
    return found


def _row(source: Source, path: str, columns: Sequence[Sequence[Mapping[str, Any]]]) -> ConfigRow:
    present = [any(path in run for run in column) for column in columns]
    values = [_value(path, column) for column in columns]
    told = {(there, _text(value)) for there, value in zip(present, values, strict=True)}
    return ConfigRow(
        source=source, path=path, differs=len(told) > 1, present=present, values=values
    )


def _value(path: str, column: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401 - as stored
    values = [run[path] for run in column if path in run]
    different = list({_text(value): value for value in values}.values())
    if path in _SEEDS and len(column) > 1:
        return different
    if len(different) > 1:
        # Only what workers found can differ within a column.
        return ", ".join(map(str, different))
    return different[0] if different else None


def _text(value: Any) -> str:  # noqa: ANN401 - as stored
    return json.dumps(value, sort_keys=True)
