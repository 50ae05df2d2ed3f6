"""Copies of the store's files on this host, so that opening the same one again is quick.

The copies together stay below a bound; those not used for longest go first. A copy that was just
used is left, so that whoever is about to open it finds it.
"""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

from app.settings import Settings
from app.storage.keys import checked
from app.storage.store import Store

_JUST_USED_SECONDS: Final = 60.0
_lock = Lock()
# Bytes in each cache folder, counted once and then kept up; other processes' copies are found at
# the next count.
_held: dict[Path, int] = {}


class _Copy(NamedTuple):
    used: float
    size: int
    path: Path


def cached(settings: Settings, store: Store, key: str, *, final: bool) -> Path:
    """Path of a copy of a file.

    Args:
        settings: say where the copies are, and how much they may take.
        store: where the file is.
        key: the file.
        final: whether a file of this name never changes; else the store is asked each time.

    Raises:
        FileNotFoundError: the store has no such file.
        StoreError: the store does not answer.
        OSError: this host's disk does not take the copy.
    """
    folder = settings.artifact_cache_directory
    target = folder / checked(key)
    if not final:
        entry = store.find(key)
        if entry is None:
            raise FileNotFoundError(key)
        state = hashlib.sha256(f"{entry.size} {entry.version}".encode()).hexdigest()[:16]
        target = target.with_name(f"{target.name}@{state}")
    try:
        os.utime(target)
    except FileNotFoundError:
        store.fetch(key, target)
        _make_room(folder, settings.artifact_cache_bytes, target)
    return target


def _make_room(folder: Path, limit: int, newest: Path) -> None:
    with _lock:
        if folder in _held:
            _held[folder] += newest.stat().st_size
        if _held.get(folder, limit + 1) > limit:
            _held[folder] = _evict(folder, limit)


def _evict(folder: Path, limit: int) -> int:
    """Remove the copies that were not used for longest; returns the bytes that are left."""
    copies = sorted(_copies(folder))
    held = sum(copy.size for copy in copies)
    for copy in copies:
        if held <= limit or copy.used > time.time() - _JUST_USED_SECONDS:
            break
        copy.path.unlink(missing_ok=True)
        held -= copy.size
    return held


def _copies(folder: Path) -> list[_Copy]:
    found = []
    for path in folder.rglob("*"):
        try:
            state = path.stat()
        except FileNotFoundError:  # another process makes room too
            continue
        if path.is_file():
            found.append(_Copy(state.st_mtime, state.st_size, path))
    return found
