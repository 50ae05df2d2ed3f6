"""Reads what an evaluation kept of every example."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from app.errors import UnavailableError
from app.evaluations.schemas import Example, ExampleRetention
from app.settings import Settings
from app.storage.keys import joined
from app.storage.reading import ArtifactNotThereYetError, readable

ANSWERS: Final = "answers.jsonl"
RETENTION: Final = "retention.jsonl"


def read_examples(folder: Path) -> Sequence[Example]:
    """All examples of an evaluation, by question and sample.

    Raises:
        UnavailableError: the files are not on this host.
    """
    retention = folder / RETENTION
    return _examples(folder / ANSWERS, retention if retention.is_file() else None)


def read_stored_examples(
    settings: Settings, key: str, folder: Path, summary: Mapping[str, Any]
) -> Sequence[Example]:
    """All examples of an evaluation that a worker anywhere made.

    Args:
        settings: say where the files are.
        key: their folder in the store.
        folder: the same where workers and API share a home folder.
        summary: what the evaluation told of them; says how many there must be.

    Raises:
        ArtifactNotThereYetError: not all of them are in the store.
        UnavailableError: the store does not answer, or the files are not on this host.
    """
    answers = readable(settings, joined(key, ANSWERS), folder / ANSWERS, final=False)
    if answers == folder / ANSWERS:
        return read_examples(folder)
    retention = None
    if "retention" in summary:
        name = joined(key, RETENTION)
        retention = readable(settings, name, folder / RETENTION, final=False)
    examples = _examples(answers, retention)
    compared = sum(example.retention is not None for example in examples)
    if len(examples) < summary.get("answers", 0) or compared < summary.get("retention", {}).get(
        "examples", 0
    ):
        raise ArtifactNotThereYetError(joined(key, ANSWERS))
    return examples


def _examples(answers: Path, retention: Path | None) -> Sequence[Example]:
    try:
        files = [answers, *([retention] if retention else [])]
        return _read(answers, retention, tuple(file.stat().st_mtime_ns for file in files))
    except OSError as error:
        raise UnavailableError(
            f"The results in {answers.parent} cannot be read: {error}.",
            "They lie on the worker's host; give API and workers a common UNISD_HOME or a common "
            "UNISD_ARTIFACTS_URL.",
        ) from error


@lru_cache(maxsize=8)
def _read(
    answers: Path,
    retention: Path | None,
    state: tuple[int, ...],  # noqa: ARG001 - the key
) -> tuple[Example, ...]:
    compared: dict[tuple[int, int], ExampleRetention] = {}
    if retention is not None:
        compared = {
            (row["index"], row["sample"]): ExampleRetention.model_validate(row)
            for row in _rows(retention)
        }
    return tuple(
        Example.model_validate({**row, "retention": compared.get((row["index"], row["sample"]))})
        for row in sorted(_rows(answers), key=lambda row: (row["index"], row["sample"]))
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    """The rows after the line with the settings; a line that is still being written is left out."""
    lines = path.read_bytes().split(b"\n")[1:-1]
    return [json.loads(line) for line in lines]
