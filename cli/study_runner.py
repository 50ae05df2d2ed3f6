"""Runs a study's cells here, one after another, each as a trainer of its own.

Whatever cuts it off, the next start goes on: cells that succeeded are passed over, one with a
checkpoint resumes, the others start anew. A cell that fails does not keep the others from running.
"""

from __future__ import annotations

import fcntl
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from cli.study_folder import (
    RUN_FOLDER,
    CellState,
    Record,
    attempt_folders,
    prepare_cell,
    read_record,
    write_study,
)
from core.errors import Problem, StudioError
from core.study import Cell, StudyPlan
from core.words import duration

TRAINER = [sys.executable, "-m", "worker.trainer"]
LOG_FILE = "trainer.log"
_LOCK_FILE = ".lock"
_STOP_SECONDS = 120.0
_LAST_WORDS = 500
_MISTAKE_STATUS = 2

Say = Callable[[str], None]


def run_study(
    plan: StudyPlan, cells: list[Cell], out: Path, say: Say, every: float = 30.0
) -> dict[str, Record]:
    """Run all cells that have not succeeded.

    Args:
        plan: what `cells` come from.
        cells: in the order in which to run them.
        out: the study's folder.
        say: told each line for the person who waits.
        every: seconds between lines about a cell that runs.

    Returns:
        What became of each cell, by name.

    Raises:
        StudioError: `study_busy`, `study_changed`.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the trainer was stopped in order.
    """
    out.mkdir(parents=True, exist_ok=True)
    with _alone(out), _terminable():
        files = {cell.name: prepare_cell(out / cell.name, cell) for cell in cells}
        records = {cell.name: read_record(out / cell.name) for cell in cells}
        write_study(out, plan, cells, records)
        todo = [cell for cell in cells if records[cell.name].state is not CellState.SUCCEEDED]
        for index, cell in enumerate(todo):
            title = f"[{cells.index(cell) + 1}/{len(cells)}] {cell.name}"
            progress = _Progress(title, len(todo) - index - 1, records, say, every)
            try:
                records[cell.name] = _run_cell(files[cell.name], progress)
            except KeyboardInterrupt:
                records[cell.name] = read_record(out / cell.name)
                raise
            finally:
                write_study(out, plan, cells, records)
            say(_verdict(title, records[cell.name]))
    return records


def _run_cell(config: Path, progress: _Progress) -> Record:
    folder = config.parent
    resume = _set_aside(folder)
    progress.begin(resume)
    run = folder / RUN_FOLDER
    command = [*TRAINER, str(config), "--out", str(run), "--supervised"]
    command += ["--resume", str(resume)] if resume else []
    log = folder / LOG_FILE
    with log.open("ab") as output:
        begin = output.tell()
        process = subprocess.Popen(  # noqa: S603 - our own module
            command,
            stdin=subprocess.PIPE,  # closes with this process, however it ends: so does the trainer
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            _follow(process, folder, progress)
        finally:
            _end(process)
    record = read_record(folder)
    if record.state in (CellState.WAITING, CellState.INTERRUPTED):
        record.state = CellState.FAILED
        record.problem = _death(process.returncode, log, begin)
    return record


def _set_aside(folder: Path) -> Path | None:
    """Make room for a new attempt. Returns the newest earlier one with a checkpoint, if any."""
    run = folder / RUN_FOLDER
    if run.exists():
        run.rename(folder / f"attempt-{len(attempt_folders(folder))}")
    for attempt in reversed(attempt_folders(folder)):
        if any((attempt / "checkpoints").glob("step-*/manifest.json")):
            return attempt
    return None


def _follow(process: subprocess.Popen[bytes], folder: Path, progress: _Progress) -> None:
    while True:
        try:
            process.wait(progress.every)
        except subprocess.TimeoutExpired:
            progress.show(read_record(folder))
        else:
            return


def _end(process: subprocess.Popen[bytes]) -> None:
    """Make sure that the trainer is gone: asked first, then killed with whatever it started."""
    try:
        if process.poll() is None:
            process.terminate()
            process.wait(_STOP_SECONDS)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    finally:
        if process.stdin is not None:
            process.stdin.close()


def _death(status: int, log: Path, begin: int) -> Problem:
    """Why a trainer ended without a last event, from what it printed."""
    with log.open("rb") as lines:
        lines.seek(begin)
        words = lines.read().decode(errors="replace").strip()[-_LAST_WORDS:]
    if status == 0:
        return Problem(
            code="trainer_stopped",
            message="The trainer was stopped from outside.",
            remedy="Start the study again; it goes on.",
        )
    how = f"by signal {-status}" if status < 0 else f"with status {status}"
    code = "run_refused" if status == _MISTAKE_STATUS else "trainer_died"
    remedy = f"The whole log is {log}."
    return Problem(code=code, message=f"The trainer ended {how}: {words or '—'}", remedy=remedy)


class Eta(NamedTuple):
    """Seconds that are left: what is likely, and between what bounds."""

    likely: float
    low: float
    high: float
    source: str


def estimate_eta(
    finished: list[float], waiting: int, present: float, present_left: float | None
) -> Eta | None:
    """Seconds until the study's end.

    Args:
        finished: seconds that each finished cell took.
        waiting: cells that have not begun.
        present: seconds that the present cell has taken.
        present_left: seconds that it still needs at its own pace; None before its second step.

    Returns:
        None while nothing is known. With fewer than two finished cells the bounds are the estimate.
    """
    own = None if present_left is None else present + present_left
    known = finished or ([] if own is None else [own])
    if not known:
        return None
    each, low, high = statistics.fmean(known), min(known), max(known)
    left = [
        max(0.0, value - present) if present_left is None else present_left
        for value in (each, low, high)
    ]
    source = f"{len(finished)} finished" if finished else "the present cell's pace"
    return Eta(left[0] + waiting * each, left[1] + waiting * low, left[2] + waiting * high, source)


class _Progress:
    """Tells how far a cell and the study are."""

    def __init__(
        self, title: str, waiting: int, records: dict[str, Record], say: Say, every: float
    ) -> None:
        self.title = title
        self.every = every
        self._say = say
        self._waiting = waiting
        self._finished = [
            record.seconds for record in records.values() if record.state is CellState.SUCCEEDED
        ]
        self._first: tuple[int, float] | None = None

    def begin(self, resume: Path | None) -> None:
        """Say that the cell starts."""
        self._say(f"{self.title}: {'resumes' if resume else 'starts'}")

    def show(self, record: Record) -> None:
        """Say how far the cell is, and what is left of the study."""
        parts = [self.title]
        if record.total_steps:
            parts.append(f"step {record.step}/{record.total_steps}")
        eta = estimate_eta(
            self._finished, self._waiting, record.seconds, self._own_left(record, time.monotonic())
        )
        parts.append(_eta_words(eta))
        self._say("  ".join(parts))

    def _own_left(self, record: Record, now: float) -> float | None:
        """Seconds that the cell needs at the pace of the steps that this process has seen."""
        if record.total_steps is None or not record.step:
            return None
        if self._first is None:
            self._first = record.step, now
        steps, seconds = record.step - self._first[0], now - self._first[1]
        return (record.total_steps - record.step) * seconds / steps if steps else None


def _eta_words(eta: Eta | None) -> str:
    if eta is None:
        return "time left not known yet"
    bounds = (
        "" if eta.low == eta.high else f", between {duration(eta.low)} and {duration(eta.high)}"
    )
    return f"about {duration(eta.likely)} left in all (from {eta.source}{bounds})"


def _verdict(title: str, record: Record) -> str:
    told = f"{title}: {record.state} after {duration(record.seconds)}"
    return f"{told}. {record.problem}" if record.problem else told


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep a second runner off the folder."""
    with (out / _LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StudioError(
                Problem(
                    code="study_busy",
                    message=f"Another process runs the study in {out}.",
                    remedy="Wait for it, or give another folder as --out.",
                )
            ) from error
        yield


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the study like Ctrl-C: the trainer is stopped in order."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
