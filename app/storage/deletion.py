"""Removes a run's files, wherever they are."""

from __future__ import annotations

import shutil
from pathlib import Path

from app.settings import Settings
from app.storage.keys import deleted_key, run_key
from app.storage.store import artifact_store


def delete_run_files(settings: Settings, run_id: str) -> None:
    """Remove a run's files from the store and from this host; workers elsewhere follow.

    Can be called again after it was cut off; what is not there is fine. A mark in the store tells
    workers that still hold files of the run to remove them, and not to copy them any more.

    Raises:
        StoreError: the store does not answer; call again later.
        OSError: a folder on this host cannot be removed.
    """
    key = run_key(run_id)
    store = artifact_store(settings)
    if not store.is_home:
        store.put_bytes(b"", deleted_key(key))
        store.delete_tree(key)
    for folder in (settings.runs_directory / run_id, settings.artifact_cache_directory / key):
        remove_folder(folder)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that it holds; one that is not there is fine.

    Raises:
        OSError: it cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except FileNotFoundError:
        # Also when something in it was removed by another at the same time: once more.
        if folder.exists():
            shutil.rmtree(folder)
