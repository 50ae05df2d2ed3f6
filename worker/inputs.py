"""Brings to this host what a run reads and another host has: data, checkpoints, adapters, answers.

Everything comes to lie where it would if it had been made here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from app.settings import Settings
from app.storage.deletion import remove_folder
from app.storage.keys import RESULTS, attempt_key, dataset_key, joined, key_of_weights, run_key
from app.storage.store import Store, StoreError, artifact_store
from core.errors import Problem, StudioError
from core.generation_job import GenerationJob
from core.states import RunKind
from worker.child import CONFIG_FILE
from worker.copying import CHECKPOINTS, MANIFEST, WEIGHTS
from worker.disk import mark_used

_T = TypeVar("_T")
_PATIENCE_SECONDS: Final = 600.0
_ASKED_PATIENCE_SECONDS: Final = 60.0
"""The same while somebody waits for answers."""
_MISSING_SECONDS: Final = 10.0
"""So long answers wait for weights of which the store has nothing: they may just be written."""
_RETRY_SECONDS: Final = 1.0
_ALIVE_SECONDS: Final = 1.0


def bring_inputs(
    settings: Settings,
    kind: RunKind,
    config: dict[str, Any],
    directory: Path,
    alive: Callable[[], None],
) -> dict[str, Any]:
    """Fetch what an attempt is about to read.

    Args:
        settings: say where files are.
        kind: what the run does.
        config: the run's configuration with data files in place of data sets.
        directory: the attempt's folder, which is not there yet.
        alive: called about every second, to keep the lease; ends the work by what it raises.

    Returns:
        The configuration with the paths that the files have here.

    Raises:
        StudioError: `artifact_store_unavailable`, after some minutes.
        OSError: this host's disk does not take the files.
    """
    try:
        return _persistently(
            settings,
            alive,
            config,
            lambda inputs: inputs.bring(kind, config, directory),
            _PATIENCE_SECONDS,
            _PATIENCE_SECONDS,
        )
    except _GivenUpError as error:
        raise StudioError(_unavailable(error)) from error


def bring_weights(
    settings: Settings, job: GenerationJob, alive: Callable[[], None]
) -> GenerationJob:
    """Fetch the adapters and checkpoints that answer side by side; `alive` as above.

    Raises:
        StudioError: `artifact_store_unavailable`, after a minute; sooner if the store has nothing.
    """
    try:
        return _persistently(
            settings,
            alive,
            job,
            lambda inputs: inputs.adapters(job),
            _ASKED_PATIENCE_SECONDS,
            _MISSING_SECONDS,
        )
    except _GivenUpError as error:
        raise StudioError(_unavailable_to_ask(error)) from error


def _persistently(
    settings: Settings,
    alive: Callable[[], None],
    given: _T,
    bring: Callable[[_Inputs], _T],
    patience: float,
    patience_if_missing: float,
) -> _T:
    """What `bring` makes of what was given; the same where nothing is ever fetched.

    Raises:
        _GivenUpError: with what the store said last.
    """
    began = time.monotonic()
    alive = _seldom(alive)
    while True:
        try:
            store = artifact_store(settings)
            return given if store.is_home else bring(_Inputs(settings, store, alive))
        except StoreError as error:
            missing = isinstance(error, _MissingError)
            if time.monotonic() - began > (patience_if_missing if missing else patience):
                raise _GivenUpError(str(error)) from error
            time.sleep(_RETRY_SECONDS)
            alive()


class _GivenUpError(Exception):
    """The store did not give what was wanted for long enough."""


class _MissingError(StoreError):
    """The store answers, and has nothing of what is wanted."""


class _Inputs:
    def __init__(self, settings: Settings, store: Store, alive: Callable[[], None]) -> None:
        self._settings = settings
        self._store = store
        self._alive = alive

    def bring(self, kind: RunKind, config: dict[str, Any], directory: Path) -> dict[str, Any]:
        if kind is RunKind.EXPORT:
            return config | {"adapter": str(self._weights(Path(config["adapter"])))}
        evaluates = kind is RunKind.EVALUATION
        for source in config["sets"] if evaluates else [config.get("data", {})]:
            self._data(source)
        if not evaluates:
            self._checkpoint(directory)
            return config
        self._answers(directory)
        if not config.get("adapter"):
            return config
        return config | {"adapter": str(self._weights(Path(config["adapter"])))}

    def adapters(self, job: GenerationJob) -> GenerationJob:
        """The job with the paths that its adapters have here."""
        columns = [
            column
            if column.adapter is None
            else column.model_copy(update={"adapter": str(self._weights(Path(column.adapter)))})
            for column in job.columns
        ]
        return job.model_copy(update={"columns": tuple(columns)})

    def _data(self, source: dict[str, Any]) -> None:
        """An uploaded data file. The trainer tells if it is nowhere."""
        folder = self._settings.datasets_directory
        path = Path(source.get("path") or "/")
        if path.is_relative_to(folder) and not path.exists():
            with suppress(FileNotFoundError):
                key = dataset_key(path.relative_to(folder).as_posix())
                self._store.fetch(key, path, self._alive)

    def _checkpoint(self, directory: Path) -> None:
        """The newest checkpoint of the newest earlier attempt that left one."""
        run_id, number = directory.parent.name, int(directory.name.removeprefix("attempt-"))
        for earlier in range(number - 1, 0, -1):
            local = directory.with_name(f"attempt-{earlier}")
            if any(local.glob(f"{CHECKPOINTS}/step-*/{MANIFEST}")):
                mark_used(local)
                return
            place = joined(attempt_key(run_id, earlier), CHECKPOINTS)
            whole = [key for key in self._store.list(place) if key.endswith(f"/{MANIFEST}")]
            if whole:
                self._folder(max(whole).removesuffix(f"/{MANIFEST}"), last=MANIFEST)
                return

    def _answers(self, directory: Path) -> None:
        """What earlier attempts answered, unless the one before was here and left it here."""
        run_id, number = directory.parent.name, int(directory.name.removeprefix("attempt-"))
        before = directory.with_name(f"attempt-{number - 1}")
        if number == 1 or (before / CONFIG_FILE).exists():
            return
        key = joined(run_key(run_id), RESULTS)
        if self._store.list(key):
            remove_folder(directory.parent / RESULTS)
            self._folder(key)

    def _weights(self, path: Path) -> Path:
        """An adapter or a checkpoint that a run wrote, as its own worker's host names it."""
        key = key_of_weights(path.as_posix())
        local = self._settings.home / (key or "")
        if key is None or (path.is_dir() and path != local):
            return path
        if local.is_dir():
            mark_used(_attempt_of(local, self._settings))
        else:
            self._folder(key, last=MANIFEST if f"/{CHECKPOINTS}/" in key else WEIGHTS)
        return local

    def _folder(self, key: str, last: str | None = None) -> None:
        """Fetch a folder: whole under its name, or not there.

        Raises:
            StoreError: the file that is copied `last` is not in the store yet, or it fails.
        """
        target = self._settings.home / key
        temporary = target.with_name(f".{target.name}.fetched.tmp")
        remove_folder(temporary)
        try:
            found = self._store.list(key)
            if last is not None and f"{key}/{last}" not in found:
                kind = StoreError if found else _MissingError
                raise kind(f"{key} is not in the artifact store, or not all of it yet")
            for one in found:
                self._store.fetch(one, temporary / one[len(key) + 1 :], self._alive)
            if found:
                temporary.replace(target)
        except FileNotFoundError as error:  # replaced by a newer one meanwhile: look again
            raise StoreError(f"{key} changed while it was fetched") from error
        finally:
            remove_folder(temporary)
        attempt = _attempt_of(target, self._settings)
        if found and attempt.name != RESULTS:
            mark_used(attempt)


def _attempt_of(path: Path, settings: Settings) -> Path:
    """Folder `runs/<run>/<attempt>` that a path lies in."""
    run, attempt = path.relative_to(settings.runs_directory).parts[:2]
    return settings.runs_directory / run / attempt


def _seldom(action: Callable[[], None]) -> Callable[[], None]:
    """The action, done at most about once a second."""
    due = 0.0

    def act() -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + _ALIVE_SECONDS
            action()

    return act


def _unavailable_to_ask(error: _GivenUpError) -> Problem:
    return Problem(
        code="artifact_store_unavailable",
        message=f"The weights that are asked could not be fetched: {error}.",
        remedy="See whether they were deleted, whether the store runs, and UNISD_ARTIFACTS_URL is "
        "right on the worker; then ask again.",
    )


def _unavailable(error: _GivenUpError) -> Problem:
    return Problem(
        code="artifact_store_unavailable",
        message=f"What the run reads could not be fetched: {error}.",
        remedy="See whether the store runs and UNISD_ARTIFACTS_URL is right on the worker; then "
        "resume the run.",
    )
