"""Reads what an evaluation kept of every example."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from app.errors import UnavailableError
from app.evaluations.schemas import Example, ExampleRetention
from app.settings import Settings
from app.storage.keys import joined
from app.storage.reading import ArtifactNotThereYetError, readable

ANSWERS: Final = "answers.jsonl"
RETENTION: Final = "retention.jsonl"
_NUMBERS_OF_TOKENS: Final = re.compile(
    rb', "token_(?:jsd|base_logprob|tuned_logprob)": \[[0-9eE.,+ -]*\]'
)
"""Most of a file; a quote inside of a text is written otherwise, so this is never in one."""
_OF_TOKENS: Final = ("pieces", "token_jsd", "token_base_logprob", "token_tuned_logprob")


class Kept(NamedTuple):
    """The examples of an evaluation without the values of their tokens, which fill a memory.

    Attributes:
        items: by question and sample.
        retention: the file that has the tokens; None if the base was not asked.
        places: offset and length of a line there, by question and sample.
    """

    items: tuple[Example, ...]
    retention: Path | None
    places: Mapping[tuple[int, int], tuple[int, int]]


def read_examples(folder: Path) -> Sequence[Example]:
    """All examples of an evaluation, by question and sample, without the values of tokens.

    Raises:
        UnavailableError: the files are not on this host.
    """
    return _read_folder(folder).items


def _read_folder(folder: Path) -> Kept:
    retention = folder / RETENTION
    return _kept(folder / ANSWERS, retention if retention.is_file() else None)


def read_stored_examples(
    settings: Settings, key: str, folder: Path, summary: Mapping[str, Any]
) -> Kept:
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
        return _read_folder(folder)
    retention = None
    if "retention" in summary:
        name = joined(key, RETENTION)
        retention = readable(settings, name, folder / RETENTION, final=False)
    kept = _kept(answers, retention)
    compared = sum(example.retention is not None for example in kept.items)
    if len(kept.items) < summary.get("answers", 0) or compared < summary.get("retention", {}).get(
        "examples", 0
    ):
        raise ArtifactNotThereYetError(joined(key, ANSWERS))
    return kept


def with_tokens(kept: Kept, examples: Sequence[Example]) -> list[Example]:
    """The examples with the values of their tokens.

    Raises:
        UnavailableError: the file is not on this host any more.
    """
    if kept.retention is None:
        return list(examples)
    try:
        with kept.retention.open("rb") as file:
            return [_with_tokens(file, kept, one) for one in examples]
    except OSError as error:
        raise _unreadable(kept.retention, error) from error


def _with_tokens(file: BinaryIO, kept: Kept, example: Example) -> Example:
    place = kept.places.get((example.index, example.sample))
    if place is None:
        return example
    file.seek(place[0])
    retention = ExampleRetention.model_validate_json(file.read(place[1]))
    return example.model_copy(update={"retention": retention})


def _unreadable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"The results in {path.parent} cannot be read: {error}.",
        "They lie on the worker's host; give API and workers a common UNISD_HOME or a common "
        "UNISD_ARTIFACTS_URL.",
    )


def _kept(answers: Path, retention: Path | None) -> Kept:
    try:
        files = [answers, *([retention] if retention else [])]
        return _read(answers, retention, tuple(file.stat().st_mtime_ns for file in files))
    except OSError as error:
        raise _unreadable(answers, error) from error


@lru_cache(maxsize=8)
def _read(
    answers: Path,
    retention: Path | None,
    state: tuple[int, ...],  # noqa: ARG001 - the key
) -> Kept:
    compared: dict[tuple[int, int], ExampleRetention] = {}
    places: dict[tuple[int, int], tuple[int, int]] = {}
    for offset, line in _lines(retention) if retention is not None else ():
        row = json.loads(_NUMBERS_OF_TOKENS.sub(b"", line))
        key = row["index"], row["sample"]
        for direction in ("forward", "reverse", "gold"):
            for name in _OF_TOKENS:
                (row[direction] or {}).pop(name, None)
        compared[key] = ExampleRetention.model_validate(row)
        places[key] = offset, len(line)
    rows = [json.loads(line) for _, line in _lines(answers)]
    rows.sort(key=lambda row: (row["index"], row["sample"]))
    items = tuple(
        Example.model_validate({**row, "retention": compared.get((row["index"], row["sample"]))})
        for row in rows
    )
    return Kept(items, retention, places)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Offsets and rows after the line with the settings; one still being written is left out."""
    with path.open("rb") as file:
        offset = len(file.readline())
        for line in file:
            if line.endswith(b"\n"):
                yield offset, line
            offset += len(line)
