"""A run's own weights in the store: what there is, and how they are fetched."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from app.artifacts import repository
from app.artifacts.schemas import FileSet, RunFiles, StoredFile
from app.errors import NotFoundError
from app.models import Run
from app.settings import Settings
from app.storage.archive import Segment
from app.storage.keys import is_key, joined, run_key
from app.storage.ranges import Download
from app.storage.reading import store_unavailable
from app.storage.store import Entry, StoreError, artifact_store

_WEIGHTS: Final = re.compile(
    r"attempt-([0-9]{1,9})/(?:(adapter|ema_adapter)|checkpoints/step-([0-9]{1,12}))/[^/]+"
)
_MANIFEST: Final = "manifest.json"
_Place = tuple[int, str, int]


def run_files(session: Session, run: Run, settings: Settings) -> RunFiles:
    """Adapters and whole checkpoints of all attempts, with their files.

    Raises:
        UnavailableError: the store does not answer.
    """
    try:
        found = artifact_store(settings).list(run_key(run.id))
    except StoreError as error:
        raise store_unavailable(error) from error
    return RunFiles(
        items=_sets(found, len(run_key(run.id)) + 1),
        run_bytes=sum(entry.size for entry in found.values()),
        export_bytes=repository.export_bytes(session, run.id),
    )


def _sets(found: Mapping[str, Entry], start: int) -> list[FileSet]:
    places: dict[_Place, list[StoredFile]] = defaultdict(list)
    for key, entry in found.items():
        named = _WEIGHTS.fullmatch(key[start:])
        if named is not None:
            place = (int(named[1]), named[2] or "checkpoint", int(named[3] or -1))
            places[place].append(StoredFile(path=key[start:], bytes=entry.size))
    return [
        FileSet(
            kind=kind,
            attempt=attempt,
            step=None if step < 0 else step,
            bytes=sum(file.bytes for file in files),
            files=sorted(files, key=lambda file: file.path),
        )
        for (attempt, kind, step), files in sorted(places.items(), key=_order)
        if kind != "checkpoint" or any(file.path.endswith(f"/{_MANIFEST}") for file in files)
    ]


def _order(item: tuple[_Place, list[StoredFile]]) -> tuple[int, str, int]:
    (attempt, kind, step), _ = item
    return -attempt, kind, -step


def run_file(run: Run, settings: Settings, path: str) -> Download:
    """One file of a run's adapters and checkpoints.

    Raises:
        NotFoundError: the store has no such file, or it is none of the weights.
        UnavailableError: the store does not answer.
    """
    missing = NotFoundError(
        f"The run has no file “{path[:200]}”.",
        "The list of its files names those that are kept; one that is new may still be copied.",
    )
    if not is_key(path) or not _WEIGHTS.fullmatch(path):
        raise missing
    key = joined(run_key(run.id), path)
    try:
        found = artifact_store(settings).find(key)
    except StoreError as error:
        raise store_unavailable(error) from error
    if found is None:
        raise missing
    state = f"{key} {found.size} {found.version}"
    etag = hashlib.sha256(state.encode()).hexdigest()
    return Download([Segment(found.size, key=key)], etag, path.rpartition("/")[2])
