"""Writes `events.jsonl`: the truth about a run, one complete JSON line per event."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Literal

from core.events import TrainEvent, train_event_adapter, written
from worker.trainer.failures import mistake, write_failure
from worker.trainer.files import write_atomically

EVENTS_FILE: Final = "events.jsonl"
PROBLEM_FILE: Final = ".problem-{rank}.json"

Phase = Literal[
    "preparing",
    "loading",
    "training",
    "evaluating",
    "saving",
    "exporting",
    "checking",
    "pushing",
]
Level = Literal["debug", "info", "warning", "error"]


class EventLog:
    """Numbers events without gaps from 0 and writes each with one call, so a line is never torn.

    Args:
        folder: the attempt's folder; made if it does not exist.
        listener: called with every event after it was written, for example to print it.

    Raises:
        StudioError: `out_not_empty` if the folder holds a run already; `out_unwritable`.
    """

    def __init__(self, folder: Path, listener: Callable[[TrainEvent], None] | None = None) -> None:
        self.folder = folder
        self._path = folder / EVENTS_FILE
        self._listener = listener
        self._next = 0
        self._descriptor = _create(self._path)

    def emit(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - fields differ by kind
        """Write one event.

        Args:
            kind: which event (`core.events`).
            values: its fields, without `seq` and `time`.

        Raises:
            StudioError: `disk_full` or `write_failed`.
        """
        event = train_event_adapter.validate_python(
            {"kind": kind, "seq": self._next, "time": time.time(), **values}
        )
        line = train_event_adapter.dump_json(event) + b"\n"
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
        except OSError as error:
            raise write_failure(self._path, error) from error
        self._next += 1
        if self._listener is not None:
            self._listener(event)

    def phase(
        self, phase: Phase, detail: str = "", current: int | None = None, total: int | None = None
    ) -> None:
        """Report that a phase began or moved on."""
        self.emit("phase", phase=phase, detail=detail, current=current, total=total)

    def say(self, message: str, level: Level = "info") -> None:
        """Report a line for the log."""
        self.emit("log", level=level, message=message)

    def metrics(
        self, step: int, total_steps: int, epoch: float, values: Mapping[str, float]
    ) -> None:
        """Report metrics, those that are not finite by their names."""
        self.emit(
            "metrics",
            step=step,
            total_steps=total_steps,
            epoch=epoch,
            values={name: written(value) for name, value in values.items()},
        )

    def close(self) -> None:
        """Put everything on disk and close the file."""
        os.fsync(self._descriptor)
        os.close(self._descriptor)


class SilentLog(EventLog):
    """The log of a process that does not lead: only why it failed is left beside the others' log.

    Args:
        folder: the attempt's folder.
        rank: this process's.
    """

    def __init__(self, folder: Path, rank: int) -> None:
        self.folder = folder
        self._rank = rank

    def emit(self, kind: str, **values: Any) -> None:  # noqa: ANN401 - as above
        """Keep the problem of a last event; the launcher tells it if nobody else does."""
        problem = values.get("problem") if kind == "finished" else None
        if problem is None:
            return
        path = self.folder / PROBLEM_FILE.format(rank=self._rank)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, problem.model_dump_json().encode())
        except OSError as error:
            raise write_failure(path, error) from error

    def close(self) -> None:
        """There is nothing to close."""


class _TakenOverLog(EventLog):
    """The log of a process that is gone, to which another one adds."""

    def __init__(
        self, folder: Path, listener: Callable[[TrainEvent], None] | None, written: int
    ) -> None:
        self.folder = folder
        self._path = folder / EVENTS_FILE
        self._listener = listener
        self._next = written
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND)


def take_over(
    folder: Path, listener: Callable[[TrainEvent], None] | None = None
) -> EventLog | None:
    """Go on with the log of a process that is gone; a new one if it had not begun.

    Returns:
        None if there is nothing to add: it ended with its last event, or in the middle of one.
    """
    path = folder / EVENTS_FILE
    if not path.exists():
        return EventLog(folder, listener)
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and (not lines[-1].endswith(b"\n") or json.loads(lines[-1])["kind"] == "finished"):
        return None
    return _TakenOverLog(folder, listener, len(lines))


def finite(value: float) -> float | None:
    """The value, or None where JSON has no number for it."""
    return value if math.isfinite(value) else None


def _create(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
    except FileExistsError:
        if path.exists():
            raise mistake(
                "out_not_empty",
                f"{path.parent} holds a run already ({EVENTS_FILE} exists).",
                "Choose another output folder, or remove that run first.",
            ) from None
        raise mistake(
            "out_unwritable", f"{path.parent} is a file.", "Give a folder as --out."
        ) from None
    except OSError as error:
        raise mistake(
            "out_unwritable",
            f"The output folder {path.parent} cannot be written: {error.strerror}.",
            "Choose a folder that you may write to, on a disk with space.",
        ) from error
