"""Copies what this host's attempts write into the artifact store, in a thread of its own.

Neither trainer nor supervisor waits for it. One process per home folder does it for all workers
there; when that one goes, another takes over. While the store does not answer, files wait on the
disk, which is their ledger: what is not in the store is copied later, also by a later worker.
"""

from __future__ import annotations

import fcntl
import logging
import threading
import time
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.models import Attempt, Run
from app.settings import Settings
from app.storage.deletion import remove_folder
from app.storage.keys import DELETED, RESULTS, attempt_key, deleted_key, joined, run_key
from app.storage.store import Store, StoreError, artifact_store
from core.states import TERMINAL
from worker.child import CONFIG_FILE
from worker.copying import Copy, is_whole, write_ledger
from worker.disk import is_fetched, note_failure, reclaim

_log = logging.getLogger(__name__)
_ROUND_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 300.0
_LOOK_FOR_DELETED_SECONDS: Final = 300.0
_LAST_ROUND_SECONDS: Final = 10.0
_LOCK: Final = "uploads.lock"


class _LeavingError(Exception):
    """The worker has to go; the rest is copied by the next one."""


class _Attempt(NamedTuple):
    """What SQL says about an attempt.

    Attributes:
        over: it has ended, and all that it told was read.
        newest: no later attempt of the run was begun.
        run_over: the run has ended.
    """

    over: bool
    newest: bool
    run_over: bool


_UNKNOWN: Final = _Attempt(over=False, newest=False, run_over=False)


class Uploads:
    """Copies until it is stopped; does nothing where the store is the home folder."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._stopped = threading.Event()
        self._deadline: float | None = None
        self._thread = threading.Thread(target=self._work, name="uploads", daemon=True)
        self._lock: TextIO | None = None
        self._copies: dict[Path, Copy] = {}
        self._done: dict[Path, int] = {}
        self._looked_for_deleted: float | None = None
        self._failing_since: float | None = None
        self._noted = False

    def start(self) -> None:
        """Begin to copy."""
        try:
            if artifact_store(self._settings).is_home:
                return
        except StoreError as error:
            _log.error("%s", error)
            return
        self._thread.start()

    def stop(self) -> None:
        """Copy for some last seconds, and end."""
        self._deadline = time.monotonic() + _LAST_ROUND_SECONDS
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_LAST_ROUND_SECONDS + 1)
        if self._lock is not None and not self._thread.is_alive():
            self._lock.close()
            self._lock = None

    def _work(self) -> None:
        pause, last = _ROUND_SECONDS, False
        while not last:
            last = self._stopped.wait(pause)
            try:
                if self.copy_once():
                    self._note(None)
                pause = _ROUND_SECONDS
            except _LeavingError:
                return
            except (StoreError, OSError) as error:
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                _log.warning("%s; trying again in %g s", error, pause)
                self._note(str(error))
            except Exception:  # noqa: BLE001 - a thread that ends copies nothing any more
                pause = _LONGEST_PAUSE_SECONDS
                _log.exception("copying into the artifact store broke; trying again")

    def copy_once(self) -> bool:
        """One round over all attempts of this home folder that are not whole in the store.

        Returns:
            Whether this process does the copying for the home folder.

        Raises:
            StoreError: the store does not answer; what is left is copied in a later round.
            OSError: this host's disk fails.
        """
        if not self._is_ours():
            return False
        try:
            self._copy_all(artifact_store(self._settings))
        finally:
            reclaim(self._settings, lambda folder: self._states([folder])[folder].run_over)
        return True

    def _copy_all(self, store: Store) -> None:
        self._remove_deleted(store)
        folders = self._waiting()
        states = self._states(folders)
        failure: OSError | None = None
        for folder in folders:
            try:
                self._copy(store, folder, states[folder])
            except OSError as error:  # of this folder alone: the others go on
                failure = error
        if failure is not None:
            raise failure

    def _waiting(self) -> list[Path]:
        """Attempts of this host that are not whole in the store, those begun last first.

        Runs with nothing to copy are not looked at again before an attempt is added.
        """
        found = []
        for run in self._settings.runs_directory.glob("*"):
            began = run.stat().st_mtime_ns
            if self._done.get(run) == began:
                continue
            attempts = [one for one in run.glob("attempt-*") if not is_whole(one)]
            waiting = [one for one in attempts if not is_fetched(one)]
            found += [(began, one) for one in waiting if (one / CONFIG_FILE).is_file()]
            if not waiting:
                self._done[run] = began
        return [folder for _, folder in sorted(found, reverse=True)]

    def _copy(self, store: Store, folder: Path, state: _Attempt) -> None:
        run_id, number = folder.parent.name, int(folder.name.removeprefix("attempt-"))
        copy = self._copies.setdefault(folder, Copy(store, folder, attempt_key(run_id, number)))
        copy.proceed(over=state.over, pause=self._pause)
        results = folder.parent / RESULTS
        # The answers belong to the attempt that was begun last, wherever that is.
        if state.newest and results.is_dir():
            key = joined(run_key(run_id), RESULTS)
            answers = self._copies.setdefault(results, Copy(store, results, key, trusted=False))
            answers.proceed(over=state.over, pause=self._pause)
        if not state.over:
            return
        if store.exists(deleted_key(run_key(run_id))):
            self._forget(store, run_id)
            return
        write_ledger(folder, copy.total())
        self._copies.pop(folder)
        self._copies.pop(results, None)

    def _remove_deleted(self, store: Store) -> None:
        """Remove this host's copies of what was deleted."""
        now = time.monotonic()
        if self._looked_for_deleted and now - self._looked_for_deleted < _LOOK_FOR_DELETED_SECONDS:
            return
        for mark in store.list(DELETED):
            key = mark.removeprefix(f"{DELETED}/")
            path = self._settings.home / key
            if key.startswith("runs/") and path.is_dir():
                self._forget(store, path.name)
            elif key.startswith("datasets/") and path.is_file() and not store.exists(key):
                path.unlink(missing_ok=True)
        self._looked_for_deleted = now

    def _forget(self, store: Store, run_id: str) -> None:
        """Remove what a deleted run still has here, and what was copied of it too late."""
        store.delete_tree(run_key(run_id))
        folder = self._settings.runs_directory / run_id
        remove_folder(folder)
        for path in [path for path in self._copies if path.parent == folder]:
            del self._copies[path]

    def _states(self, folders: list[Path]) -> dict[Path, _Attempt]:
        """What SQL says about attempts; while it does not answer, none is over."""
        states = dict.fromkeys(folders, _UNKNOWN)
        runs = {folder.parent.name for folder in folders}
        statement = select(
            Attempt.run_id,
            Attempt.number,
            Attempt.ended_at,
            Attempt.drained,
            Run.status,
            Run.attempt_count,
        ).join(Run, Run.id == Attempt.run_id)
        try:
            with self._database.read() as session:
                rows = session.execute(statement.where(Attempt.run_id.in_(runs))).all()
        except SQLAlchemyError as error:
            _log.warning("the database does not say which attempts are over: %s", error)
            return states
        return states | {
            self._settings.runs_directory / row.run_id / f"attempt-{row.number}": _Attempt(
                over=row.ended_at is not None and row.drained,
                newest=row.number == row.attempt_count,
                run_over=row.status in TERMINAL,
            )
            for row in rows
        }

    def _is_ours(self) -> bool:
        """Whether this process is the one that copies for the home folder."""
        if self._lock is None:
            self._settings.home.mkdir(parents=True, exist_ok=True)
            file = (self._settings.home / _LOCK).open("w")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return False
            self._lock = file
        return True

    def _pause(self) -> None:
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise _LeavingError

    def _note(self, reason: str | None) -> None:
        """Tell `disk_warnings` how it goes, where that has changed."""
        if reason is None and self._failing_since is None and self._noted:
            return
        self._noted = True
        if reason is None:
            self._failing_since = None
        else:
            self._failing_since = self._failing_since or time.time()
        try:
            note_failure(self._settings, self._failing_since, reason or "")
        except OSError as error:
            _log.warning("%s", error)
