"""Keeps a worker's disk from filling: files that are in the artifact store may go from here."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from app.settings import Settings
from app.storage.deletion import remove_folder
from app.storage.keys import RESULTS
from app.storage.store import StoreError, artifact_store
from core.errors import Problem
from worker.child import CONFIG_FILE
from worker.copying import LEDGER, is_whole

_log = logging.getLogger(__name__)
USED: Final = ".used"
"""Touched in an attempt's folder when a trainer is about to read from it."""
_IN_USE_SECONDS: Final = 3600.0
_FAILURES: Final = "uploads.json"


def free_bytes(settings: Settings) -> int:
    """Bytes left where this host keeps runs."""
    folder = settings.home
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def mark_used(attempt: Path) -> None:
    """Keep an attempt's folder for the next hour, since a trainer is about to read from it."""
    (attempt / USED).touch()


def is_fetched(attempt: Path) -> bool:
    """Whether an attempt's folder holds only what a trainer here read of another host's."""
    return (attempt / USED).exists() and not (attempt / CONFIG_FILE).exists()


def reclaim(settings: Settings, is_over: Callable[[Path], bool]) -> None:
    """Remove folders of attempts that are whole in the store, as far as the settings want it.

    Args:
        settings: say how much is to stay free.
        is_over: whether an attempt's run is over; asked where files are not kept longer than that.
    """
    if settings.keep_local_runs and free_bytes(settings) >= settings.disk_reserve_bytes:
        return
    for folder in _removable(settings):
        wanted = free_bytes(settings) < settings.disk_reserve_bytes
        if _in_use(folder):  # since it was listed
            continue
        if wanted or (not settings.keep_local_runs and is_over(folder)):
            _log.info("%s is in the artifact store and is removed here", folder)
            _remove(folder)


def _removable(settings: Settings) -> list[Path]:
    """Attempts' folders that the store has too and nobody reads, oldest first."""
    found = []
    for folder in settings.runs_directory.glob("*/attempt-*"):
        if (is_whole(folder) or is_fetched(folder)) and not _in_use(folder):
            mark = folder / (LEDGER if is_whole(folder) else USED)
            found.append((mark.stat().st_mtime, folder))
    return [folder for _, folder in sorted(found)]


def _in_use(folder: Path) -> bool:
    try:
        return (folder / USED).stat().st_mtime > time.time() - _IN_USE_SECONDS
    except FileNotFoundError:
        return False


def _remove(folder: Path) -> None:
    remove_folder(folder)
    run = folder.parent
    if not any(run.glob("attempt-*")):
        remove_folder(run / RESULTS)
        if not any(run.iterdir()):
            run.rmdir()


def note_failure(settings: Settings, since: float | None, reason: str = "") -> None:
    """Tell the other processes of this host since when the store fails; None: it does not."""
    file = settings.home / _FAILURES
    if since is None:
        file.unlink(missing_ok=True)
        return
    temporary = file.with_name(f".{_FAILURES}.tmp")
    temporary.write_text(json.dumps({"since": since, "reason": reason}), encoding="utf-8")
    temporary.replace(file)


def disk_warnings(settings: Settings) -> list[Problem]:
    """What a person should know about this worker's disk and about its artifact store."""
    found = []
    try:
        is_home = artifact_store(settings).is_home
    except StoreError as error:
        return [_failing(str(error))]
    free = free_bytes(settings)
    if free < settings.disk_reserve_bytes:
        found.append(_low(settings.home, free, is_home=is_home))
    if not is_home and (failure := _failure(settings)) is not None:
        found.append(_failing(failure))
    return found


def _low(home: Path, free: int, *, is_home: bool) -> Problem:
    remedy = "Delete runs or data sets, or put UNISD_HOME on a larger disk."
    if not is_home:
        remedy = (
            "What is in the artifact store was removed here already; make room, or put UNISD_HOME "
            "on a larger disk."
        )
    return Problem(
        code="disk_low",
        message=f"Only {free / 2**30:.1f} GiB are free where {home} lies; a run fails when its "
        "files find no room.",
        remedy=remedy,
    )


def _failing(told: str) -> Problem:
    return Problem(
        code="artifact_store_failing",
        message=f"Files of runs do not get into the artifact store: {told}.",
        remedy="They are kept on this disk and copied when the store answers; see whether it runs "
        "and UNISD_ARTIFACTS_URL is right.",
    )


def _failure(settings: Settings) -> str | None:
    try:
        noted = json.loads((settings.home / _FAILURES).read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(noted["since"], UTC)
        return f"since {since:%Y-%m-%d %H:%M} UTC, {noted['reason']}"
    except (OSError, ValueError, KeyError):
        return None
