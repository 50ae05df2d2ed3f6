"""Names of files in the store: relative, plain, and laid out as in a home folder.

- `runs/<run>/attempt-<n>/…`: what an attempt wrote
- `runs/<run>/results/…`: an evaluation's answers, shared by its attempts
- `datasets/<ab>/<sha256>.<…>`: data files
- `deleted/<key>`: that run or data file was deleted, and hosts are to remove their copies
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Final

RESULTS: Final = "results"
DELETED: Final = "deleted"
_PART: Final = re.compile(r"[^/\\\x00-\x1f]+")
_RUN: Final = re.compile(r"[0-9a-z]{1,32}")
_OF_RUN: Final = re.compile(
    r"/(runs/[0-9a-z]{1,32}/attempt-[0-9]{1,9}/"
    r"(?:adapter|ema_adapter|checkpoints/step-[0-9]{1,12}))/?"
)


def checked(key: str) -> str:
    """The key itself.

    Raises:
        ValueError: it is empty or absolute, or has a part that is empty, `.` or `..`.
    """
    if not is_key(key):
        raise ValueError(f"not a name in the store: {key!r}")
    return key


def is_key(text: str) -> bool:
    """Whether a text names something in the store."""
    parts = text.split("/")
    return all(part not in {".", ".."} and _PART.fullmatch(part) for part in parts)


def joined(*parts: str) -> str:
    """A key of its parts.

    Raises:
        ValueError: the outcome is no key.
    """
    return checked("/".join(parts))


def run_key(run_id: str) -> str:
    """Folder of a run.

    Raises:
        ValueError: that is no run's identifier.
    """
    if not _RUN.fullmatch(run_id):
        raise ValueError(f"not a run's identifier: {run_id!r}")
    return f"runs/{run_id}"


def attempt_key(run_id: str, number: int) -> str:
    """Folder of an attempt."""
    return f"{run_key(run_id)}/attempt-{number}"


def deleted_key(key: str) -> str:
    """Mark of a deleted run's folder or data file."""
    return joined(DELETED, key)


def dataset_key(file: str) -> str:
    """A data file, named as in `DatasetVersion.file`."""
    return joined("datasets", file)


def key_of_results(run_id: str, directory: str, path: str) -> str:
    """Folder of an evaluation's answers.

    Args:
        run_id: the run.
        directory: the attempt's folder on its worker's host.
        path: where the trainer said that they are: below that folder, or its absolute path.
    """
    run_folder = PurePath(directory).parent
    return joined(run_key(run_id), (PurePath(directory) / path).relative_to(run_folder).as_posix())


def key_of_weights(path: str) -> str | None:
    """Key of an adapter or checkpoint by its path on some worker's host; None for other paths."""
    found = _OF_RUN.search(path)
    return found.group(1) if found and found.end() == len(path) else None
