"""Reads what an evaluation kept of every example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from app.errors import UnavailableError
from app.evaluations.schemas import Example, ExampleRetention

ANSWERS: Final = "answers.jsonl"
RETENTION: Final = "retention.jsonl"


def read_examples(folder: Path) -> Sequence[Example]:
    """All examples of an evaluation, by question and sample.

    Raises:
        UnavailableError: the files are not on this host.
    """
    try:
        state = [(folder / ANSWERS).stat().st_mtime_ns]
        if (folder / RETENTION).is_file():
            state.append((folder / RETENTION).stat().st_mtime_ns)
        return _read(folder, tuple(state))
    except OSError as error:
        raise UnavailableError(
            f"The results in {folder} cannot be read: {error}.",
            "They lie on the worker's host; give API and workers a common UNISD_HOME.",
        ) from error


@lru_cache(maxsize=8)
def _read(folder: Path, state: tuple[int, ...]) -> tuple[Example, ...]:  # noqa: ARG001 - the key
    compared: dict[tuple[int, int], ExampleRetention] = {}
    if (folder / RETENTION).is_file():
        compared = {
            (row["index"], row["sample"]): ExampleRetention.model_validate(row)
            for row in _rows(folder / RETENTION)
        }
    return tuple(
        Example.model_validate({**row, "retention": compared.get((row["index"], row["sample"]))})
        for row in sorted(_rows(folder / ANSWERS), key=lambda row: (row["index"], row["sample"]))
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows after the line with the settings; a line that is still being written is left out."""
    lines = path.read_bytes().split(b"\n")[1:-1]
    return [json.loads(line) for line in lines]
