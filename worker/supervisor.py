"""Executes one run: wins its lease, starts the trainer, copies its events, ends it truthfully.

The loop below is all there is: every fifth of a second it looks at the trainer's file, at every
heartbeat it renews the lease and learns whether the run is to stop. When the database does not
answer, the trainer goes on; its file is the truth, and the copying catches up.
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.datasets.references import resolve_run
from app.db import Database
from app.models import Attempt, Run
from app.models.base import utc_now
from app.runs import lifecycle
from app.runs.ingest import Position, final_status
from app.settings import Settings
from core.errors import Problem, StudioError
from core.states import RunKind, RunStatus
from worker.child import CONFIG_FILE, LOG_FILE, Trainer
from worker.inputs import bring_inputs
from worker.presence import Presence
from worker.tail import Tail

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
RESULTS = "results"
"""Folder of an evaluation's results, beside those of its attempts."""
_POLL_SECONDS = 0.2
_RETRY_SECONDS = 1.0
# Seconds that a trainer gets to leave when its worker is asked to go.
_LEAVING_SECONDS = 20.0


@dataclass
class _Watch:
    """What the supervising loop knows about the attempt."""

    run_id: str
    claim: lifecycle.Claim
    trainer: Trainer
    tail: Tail
    next_heartbeat: float = 0.0
    stop_sent_at: float | None = None
    killed: bool = False


class Supervisor:
    """Executes runs for one worker."""

    def __init__(self, database: Database, settings: Settings, presence: Presence) -> None:
        self._database = database
        self._settings = settings
        self._presence = presence

    def execute(self, run_id: str) -> None:
        """Execute a run from claim to end; returns at once if it is not to be had."""
        if self._presence.leaving.is_set():
            return
        drain_leftovers(self._database)
        template = self._settings.runs_directory / run_id / "attempt-{number}"
        with self._database.write() as session:
            claim = lifecycle.claim(
                session,
                run_id,
                worker_id=self._presence.worker_id,
                hostname=self._presence.hostname,
                directory=str(template),
                lease=self._settings.lease_seconds,
            )
        if claim is None:
            _log.info("run %s is not to be had", run_id)
            return
        self._presence.set_run(run_id)
        try:
            self._supervise(run_id, claim, Path(str(template).format(number=claim.attempt_number)))
        finally:
            self._presence.set_run(None)

    def _supervise(self, run_id: str, claim: lifecycle.Claim, directory: Path) -> None:
        try:
            config = self._persistently(lambda: self._config(run_id))
            config = bring_inputs(
                self._settings, claim.kind, config, directory, lambda: self._keep(run_id, claim)
            )
            trainer = _start(claim, config, directory)
        except lifecycle.LeaseLostError:
            _log.warning("run %s was taken from this worker before its trainer started", run_id)
            return
        except StudioError as error:
            self._end(run_id, claim, RunStatus.FAILED, error.problem, None)
            return
        except OSError as error:
            self._end(run_id, claim, RunStatus.FAILED, _unwritable(directory, error), None)
            return
        tail = Tail(self._database, claim.attempt_id, directory)
        watch = _Watch(run_id, claim, trainer, tail)
        try:
            self._follow(watch)
            position = self._persistently(tail.drain)
            self._conclude(watch, position)
        except lifecycle.LeaseLostError:
            _log.warning("run %s was taken from this worker; its trainer is ended", run_id)
        finally:
            trainer.close()

    def _config(self, run_id: str) -> dict[str, Any]:
        with self._database.read() as session:
            return resolve_run(session, self._settings, run_id)

    def _keep(self, run_id: str, claim: lifecycle.Claim) -> None:
        """Renew the lease while the run's inputs come."""
        if self._presence.leaving.is_set():
            raise lifecycle.LeaseLostError(run_id)  # it runs out, and the run goes to another
        try:
            with self._database.write() as session:
                lifecycle.renew_lease(
                    session, run_id, claim.lease_token, self._settings.lease_seconds
                )
        except SQLAlchemyError as error:
            _log.warning("the lease was not renewed: %s", error)

    def _follow(self, watch: _Watch) -> None:
        while watch.trainer.exit_code() is None:
            try:
                watch.tail.pump()
                self._heartbeat(watch)
            except SQLAlchemyError as error:
                _log.warning("the database does not take events: %s", error)
                time.sleep(_RETRY_SECONDS)
            self._escalate(watch)
            watch.trainer.wait(_POLL_SECONDS)

    def _heartbeat(self, watch: _Watch) -> None:
        """Renew the lease, and see whether the run or the worker is to stop."""
        now = time.monotonic()
        if now >= watch.next_heartbeat:
            watch.next_heartbeat = now + min(1.0, self._settings.heartbeat_seconds)
            with self._database.write() as session:
                status = lifecycle.renew_lease(
                    session, watch.run_id, watch.claim.lease_token, self._settings.lease_seconds
                )
            if status is RunStatus.STOPPING:
                self._send_stop(watch)

    def _escalate(self, watch: _Watch) -> None:
        leaving = self._presence.leaving.is_set()
        if leaving:
            self._send_stop(watch)
        if watch.stop_sent_at is None:
            return
        grace = _LEAVING_SECONDS if leaving else self._settings.stop_grace_seconds
        if time.monotonic() - watch.stop_sent_at > grace:
            _log.warning("the trainer did not stop within %s s and is killed", grace)
            watch.killed = True
            watch.trainer.kill()

    def _send_stop(self, watch: _Watch) -> None:
        if watch.stop_sent_at is None:
            watch.stop_sent_at = time.monotonic()
            watch.trainer.stop()

    def _conclude(self, watch: _Watch, position: Position) -> None:
        exit_code = watch.trainer.exit_code()
        with self._database.read() as session:
            status = session.get_one(Run, watch.run_id).status
        verdict = final_status(position.finished, status)
        if verdict is not None:
            self._end(watch.run_id, watch.claim, *verdict, exit_code)
        elif self._presence.leaving.is_set() and status is not RunStatus.STOPPING:
            self._interrupt(watch, exit_code)
        else:
            problem = _death(watch, exit_code)
            self._end(watch.run_id, watch.claim, RunStatus.CRASHED, problem, exit_code)

    def _end(
        self,
        run_id: str,
        claim: lifecycle.Claim,
        status: RunStatus,
        problem: Problem | None,
        exit_code: int | None,
    ) -> None:
        def write() -> None:
            with self._database.write() as session:
                run = lifecycle.lock(session, run_id)
                if run.lease_token != claim.lease_token:
                    raise lifecycle.LeaseLostError(run_id)
                lifecycle.finish(session, run, status, problem)
                close_attempt(session.get_one(Attempt, claim.attempt_id), status, exit_code)

        self._persistently(write)

    def _interrupt(self, watch: _Watch, exit_code: int | None) -> None:
        """The worker leaves: the run goes back to the queue, and this start does not count."""

        def write() -> None:
            with self._database.write() as session:
                run = lifecycle.lock(session, watch.run_id)
                if run.lease_token != watch.claim.lease_token:
                    raise lifecycle.LeaseLostError(watch.run_id)
                run.interruptions += 1
                session.flush()
                problem = Problem(code="worker_left", message="The worker was shut down.")
                lifecycle.give_back(session, run, problem)
                attempt = session.get_one(Attempt, watch.claim.attempt_id)
                close_attempt(attempt, None, exit_code)

        self._persistently(write)

    def _persistently(self, action: Callable[[], _T]) -> _T:
        """Do `action` until the database takes it; the trainer is gone, its file is not."""
        while True:
            try:
                return action()
            except SQLAlchemyError as error:
                if self._presence.leaving.wait(_RETRY_SECONDS):
                    raise
                _log.warning("the database does not answer: %s", error)


def _start(claim: lifecycle.Claim, config: dict[str, Any], directory: Path) -> Trainer:
    directory.mkdir(parents=True)
    config_file = directory / CONFIG_FILE
    config_file.write_text(
        yaml.safe_dump(config, sort_keys=False, allow_unicode=True), encoding="utf-8"
    )
    command = [str(config_file), "--out", str(directory)]
    if claim.kind is RunKind.EVALUATION:
        # All attempts share the results: one that was cut off goes on where it was.
        command = ["evaluate", *command, "--results", str(directory.parent / RESULTS)]
    elif (earlier := _resumable(claim, directory)) is not None:
        command += ["--resume", str(earlier)]
    return Trainer(command, directory)


def _resumable(claim: lifecycle.Claim, directory: Path) -> Path | None:
    """Folder of the newest earlier attempt that left a checkpoint, or None: start from step 0."""
    for number in range(claim.attempt_number - 1, 0, -1):
        earlier = directory.with_name(f"attempt-{number}")
        if any(earlier.glob("checkpoints/step-*/manifest.json")):
            return earlier
    return None


def close_attempt(attempt: Attempt, outcome: RunStatus | None, exit_code: int | None) -> None:
    """Mark an attempt as over, with everything that it wrote copied."""
    attempt.ended_at = utc_now()
    attempt.outcome = outcome.value if outcome else "interrupted"
    attempt.exit_code = exit_code
    attempt.drained = True


def drain_leftovers(database: Database) -> None:
    """Copy what earlier attempts on this host wrote and nobody has read to the end."""
    with database.read() as session:
        leftovers = session.execute(
            select(Attempt.id, Attempt.directory).where(
                Attempt.hostname == socket.gethostname(),
                Attempt.ended_at.is_not(None),
                Attempt.drained.is_(False),
            )
        ).all()
    for attempt_id, directory in leftovers:
        Tail(database, attempt_id, Path(directory)).drain()
        with database.write() as session:
            session.get_one(Attempt, attempt_id).drained = True


def _unwritable(directory: Path, error: OSError) -> Problem:
    return Problem(
        code="storage_unwritable",
        message=f"The run's folder {directory} cannot be written: {error.strerror}.",
        remedy="Make room on the worker or mend the folder's permissions (UNISD_HOME).",
    )


def _death(watch: _Watch, exit_code: int | None) -> Problem:
    """Why a trainer is gone that did not say goodbye."""
    words = watch.trainer.last_words()
    said = f" Its last words: {words[-1500:]}" if words else ""
    if watch.killed:
        return Problem(
            code="trainer_unresponsive",
            message=f"The trainer did not stop in time and was killed.{said}",
            remedy=f"See {LOG_FILE} in the attempt's folder.",
        )
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        memory = " Often the machine ran out of memory:" if name == "SIGKILL" else ""
        return Problem(
            code="trainer_killed",
            message=f"The trainer was killed by {name}.{said}",
            remedy=f"{memory} see {LOG_FILE}, and try a smaller batch or shorter texts.".strip(),
        )
    return Problem(
        code="trainer_died",
        message=f"The trainer ended with exit code {exit_code} without a verdict.{said}",
        remedy=f"See {LOG_FILE} in the attempt's folder.",
    )
