"""Executes runs one after another: wins a lease, starts the trainer, copies its events, ends it.

The loop below is all there is: every tenth of a second it looks at the trainer's file, at every
heartbeat it renews the lease and learns what is wished of the run. When the database does not
answer, the trainer goes on; its file is the truth, and the copying catches up.
"""

from __future__ import annotations

import logging
import shutil
import signal
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.datasets.references import resolve_run
from app.db import Database
from app.exports.repository import unmake
from app.exports.secrets import take as take_secret
from app.models import Artifact, Attempt, Run
from app.runs import lifecycle, placement
from app.runs.ingest import Position, final_status
from app.runs.output import copy_output, has_more
from app.settings import Settings
from core.config_text import yaml_text
from core.errors import Problem, StudioError
from core.states import Cause, RunKind, RunStatus, StopMode
from worker.answering import Answerer
from worker.child import CONFIG_FILE, LOG_FILE, Trainer
from worker.gpu_proof import GpuProof
from worker.inputs import bring_inputs
from worker.leftovers import remove_temporary, still_writes
from worker.presence import Presence
from worker.tail import Tail

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
RESULTS = "results"
"""Folder of an evaluation's results, beside those of its attempts."""
WEIGHTS = ("checkpoints", "adapter", "ema_adapter", "export")
"""Folders of an attempt that hold weights."""
_POLL_SECONDS = 0.1
_RETRY_SECONDS = 1.0
# Seconds that a trainer gets to leave when its worker is asked to go.
_LEAVING_SECONDS = 20.0
_LEFT = Problem(
    code="worker_left",
    message="The worker was shut down.",
    remedy="The run goes on by itself when a worker is free.",
)


class _EndedEarly(Exception):  # noqa: N818 - a request, not an error
    """The run is to end before its trainer has started."""


@dataclass
class _Watch:
    """What the supervising loop knows about the attempt."""

    claim: lifecycle.Claim
    trainer: Trainer
    tail: Tail
    directory: Path
    begun: float = field(default_factory=time.monotonic)
    next_heartbeat: float = 0.0
    obeyed: StopMode | None = None
    kill_at: float | None = None
    killed: bool = False
    over_time: bool = False
    told_pid: bool = False
    copied_output: int = 0
    proof: GpuProof = field(default_factory=GpuProof)

    @property
    def used_seconds(self) -> float:
        """Time of the run's attempts so far."""
        return self.claim.used_seconds + time.monotonic() - self.begun


class Supervisor:
    """Executes runs for one worker."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        presence: Presence,
        answerer: Answerer | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._presence = presence
        self._answerer = answerer or Answerer(database, settings, presence)

    def work(self) -> None:
        """Answer what waits and execute runs until there is nothing for this worker."""
        while self._presence.registered.is_set() and not self._presence.leaving.is_set():
            drain_leftovers(self._database)
            if self._answerer.answer_next():
                continue
            template = self._settings.runs_directory / "{run}" / "attempt-{number}"
            with self._database.write() as session:
                claim = placement.claim_next(
                    session,
                    self._presence.worker_id,
                    directory=str(template),
                    lease=self._settings.lease_seconds,
                )
            if claim is None:
                return
            self._answerer.release()  # the run needs the device
            self._presence.set_run(claim.run_id)
            try:
                where = str(template).format(run=claim.run_id, number=claim.attempt_number)
                self._supervise(claim, Path(where))
            finally:
                self._presence.set_run(None)

    def _supervise(self, claim: lifecycle.Claim, directory: Path) -> None:
        proof = GpuProof()
        try:
            config = self._persistently(lambda: self._config(claim.run_id))
            config = bring_inputs(
                self._settings, claim.kind, config, directory, lambda: self._keep(claim)
            )
            trainer = _start(claim, config, directory, self._secret(claim))
        except lifecycle.LeaseLostError:
            _log.warning("run %s was taken before its trainer started", claim.run_id)
            return
        except _EndedEarly:
            self._end_early(claim)
            return
        except StudioError as error:
            self._end_unstarted(claim, error.problem)
            return
        except OSError as error:
            self._end_unstarted(claim, _unwritable(directory, error))
            return
        tail = Tail(self._database, claim.attempt_id, directory)
        watch = _Watch(claim, trainer, tail, directory, proof=proof)
        try:
            self._follow(watch)
            trainer.close()
            self._persistently(lambda: self._copy_output(watch, whole=True))
            position = self._persistently(tail.drain)
            self._prove(watch)
            self._conclude(watch, position)
        except lifecycle.LeaseLostError:
            _log.warning("run %s was taken from this worker; its trainer is ended", claim.run_id)
            trainer.close()
            # What it wrote since then is still to be copied.
            self._persistently(lambda: _reopen(self._database, claim.attempt_id))
        finally:
            trainer.close()
            remove_temporary(directory)

    def _config(self, run_id: str) -> dict[str, Any]:
        with self._database.read() as session:
            return resolve_run(session, self._settings, run_id)

    def _secret(self, claim: lifecycle.Claim) -> str | None:
        """The token of a push to the hub; from here on only this attempt has it."""
        if claim.kind is not RunKind.EXPORT or claim.config["hub"] is None:
            return None

        def take() -> str:
            with self._database.write() as session:
                return take_secret(session, claim.run_id)

        return self._persistently(take)

    def _keep(self, claim: lifecycle.Claim) -> None:
        """Renew the lease while the run's inputs come, which may take long.

        Raises:
            LeaseLostError: someone else took the run.
            _EndedEarly: the worker leaves, or a person stopped the run.
        """
        if self._presence.leaving.is_set():
            raise _EndedEarly
        try:
            with self._database.write() as session:
                orders = lifecycle.renew_lease(
                    session, claim.run_id, claim.lease_token, self._settings.lease_seconds
                )
        except SQLAlchemyError as error:
            _log.warning("the lease was not renewed: %s", error)
            return
        if orders.status is RunStatus.STOPPING:
            raise _EndedEarly

    def _end_early(self, claim: lifecycle.Claim) -> None:
        with self._database.read() as session:
            status = session.get_one(Run, claim.run_id).status
        if status is RunStatus.STOPPING:
            self._end(claim, RunStatus.STOPPED, None, None)
        else:
            self._give_back(claim, _LEFT, Cause.WORKER_LEFT, None)

    def _follow(self, watch: _Watch) -> None:
        while watch.trainer.exit_code() is None:
            try:
                watch.tail.pump()
                self._heartbeat(watch)
            except SQLAlchemyError as error:
                _log.warning("the database does not take events: %s", error)
                watch.trainer.wait(_RETRY_SECONDS)
            self._escalate(watch)
            watch.trainer.wait(_POLL_SECONDS)

    def _heartbeat(self, watch: _Watch) -> None:
        """Renew the lease, and see what is wished of the run."""
        now = time.monotonic()
        if now < watch.next_heartbeat:
            return
        watch.next_heartbeat = now + min(1.0, self._settings.heartbeat_seconds)
        watch.proof.look(watch.trainer.pid)
        claim = watch.claim
        with self._database.write() as session:
            orders = lifecycle.renew_lease(
                session, claim.run_id, claim.lease_token, self._settings.lease_seconds
            )
            if not watch.told_pid:
                session.get_one(Attempt, claim.attempt_id).pid = watch.trainer.pid
        watch.told_pid = True
        self._copy_output(watch)
        if orders.status is RunStatus.STOPPING:
            self._obey(watch, orders)
        elif orders.time_limit is not None and watch.used_seconds > orders.time_limit:
            watch.over_time = True
            with self._database.write() as session:
                run = lifecycle.lock(session, claim.run_id)
                if run.lease_token == claim.lease_token and run.status is orders.status:
                    lifecycle.request_stop(
                        session,
                        run,
                        StopMode.SAVE,
                        actor=self._presence.actor,
                        cause=Cause.TIME_LIMIT,
                    )

    def _copy_output(self, watch: _Watch, *, whole: bool = False) -> None:
        path = watch.directory / LOG_FILE
        more = True
        while more and has_more(path, watch.copied_output):
            with self._database.write() as session:
                attempt_id = watch.claim.attempt_id
                more = copy_output(session, attempt_id, path, whole=whole)
                watch.copied_output = session.get_one(Attempt, attempt_id).output_bytes

    def _obey(self, watch: _Watch, orders: lifecycle.Orders) -> None:
        """Pass a wish to stop on to the trainer, and tell when it will be killed."""
        mode = orders.stop_mode or StopMode.SAVE
        if watch.obeyed is not mode:
            watch.obeyed = mode
            if mode is StopMode.DISCARD:
                watch.trainer.kill()
                return
            grace = self._settings.stop_grace_seconds
            if mode is StopMode.FORCE:
                grace = self._settings.force_seconds
            watch.kill_at = time.monotonic() + grace
            watch.trainer.stop()
        if orders.kill_in is None and watch.kill_at is not None:
            left = watch.kill_at - time.monotonic()
            with self._database.write() as session:
                lifecycle.confirm_stop(session, watch.claim.run_id, watch.claim.lease_token, left)

    def _escalate(self, watch: _Watch) -> None:
        if self._presence.leaving.is_set() and watch.kill_at is None:
            watch.kill_at = time.monotonic() + _LEAVING_SECONDS
            watch.trainer.stop()
        if watch.kill_at is not None and time.monotonic() > watch.kill_at and not watch.killed:
            _log.warning("the trainer of run %s did not stop and is killed", watch.claim.run_id)
            watch.killed = True
            watch.trainer.kill()

    def _prove(self, watch: _Watch) -> None:
        """See whether the GPU's memory came back; if not, this worker takes no more runs."""
        memory = watch.proof.finish()
        if memory is None:
            return

        def write() -> None:
            with self._database.write() as session:
                session.get_one(Attempt, watch.claim.attempt_id).gpu_memory = memory.model_dump()
                if not memory.returned:
                    watch.proof.quarantine(session, self._presence, watch.claim.run_id, memory)

        self._persistently(write)

    def _conclude(self, watch: _Watch, position: Position) -> None:
        exit_code = watch.trainer.exit_code()
        with self._database.read() as session:
            status = session.get_one(Run, watch.claim.run_id).status
        verdict = final_status(position.finished, status)
        stopping = status is RunStatus.STOPPING
        if watch.obeyed is StopMode.DISCARD and stopping:
            self._discard(watch)
            self._end(watch.claim, RunStatus.STOPPED, None, exit_code)
        elif verdict is not None:
            ended, problem = verdict
            if watch.over_time and ended is RunStatus.STOPPED:
                problem = _over_time()
            self._end(watch.claim, ended, problem, exit_code)
        elif stopping and watch.killed:
            problem = _killed(watch)
            self._end(watch.claim, RunStatus.STOPPED, problem, exit_code, Cause.KILLED)
        elif self._presence.leaving.is_set() and not stopping:
            self._give_back(watch.claim, _LEFT, Cause.WORKER_LEFT, exit_code)
        else:
            self._give_back(watch.claim, _death(watch, exit_code), Cause.TRAINER_DIED, exit_code)

    def _discard(self, watch: _Watch) -> None:
        for name in WEIGHTS:
            shutil.rmtree(watch.directory / name, ignore_errors=True)

        def forget() -> None:
            with self._database.write() as session:
                session.execute(
                    delete(Artifact).where(Artifact.attempt_id == watch.claim.attempt_id)
                )
                if watch.claim.kind is RunKind.EXPORT:
                    unmake(session, watch.claim.run_id)

        self._persistently(forget)

    def _end(
        self,
        claim: lifecycle.Claim,
        status: RunStatus,
        problem: Problem | None,
        exit_code: int | None,
        cause: Cause = Cause.ENDED,
    ) -> None:
        def write() -> None:
            with self._database.write() as session:
                run = self._held(session, claim)
                actor = self._presence.actor
                lifecycle.finish(session, run, status, problem, cause, actor=actor)
                attempt = session.get_one(Attempt, claim.attempt_id)
                lifecycle.close_attempt(session, attempt, status, exit_code)

        self._persistently(write)

    def _end_unstarted(self, claim: lifecycle.Claim, problem: Problem) -> None:
        try:
            self._end(claim, RunStatus.FAILED, problem, None, Cause.UNSTARTABLE)
        except lifecycle.LeaseLostError:
            _log.warning("run %s was taken from this worker before it could start", claim.run_id)

    def _give_back(
        self, claim: lifecycle.Claim, problem: Problem, cause: Cause, exit_code: int | None
    ) -> None:
        """The attempt was cut off: the run goes back to the queue, or is crashed for good."""
        outcome = None if cause is Cause.WORKER_LEFT else RunStatus.CRASHED

        def write() -> None:
            with self._database.write() as session:
                run = self._held(session, claim)
                actor = self._presence.actor
                lifecycle.give_back(session, run, problem, cause, self._settings, actor=actor)
                attempt = session.get_one(Attempt, claim.attempt_id)
                lifecycle.close_attempt(session, attempt, outcome, exit_code)

        self._persistently(write)

    @staticmethod
    def _held(session: Session, claim: lifecycle.Claim) -> Run:
        """The run, locked, provided that it is still this worker's."""
        run = lifecycle.lock(session, claim.run_id)
        if run.lease_token != claim.lease_token:
            raise lifecycle.LeaseLostError(claim.run_id)
        return run

    def _persistently(self, action: Callable[[], _T]) -> _T:
        """Do `action` until the database takes it; the trainer is gone, its file is not."""
        while True:
            try:
                return action()
            except SQLAlchemyError as error:
                if self._presence.leaving.wait(_RETRY_SECONDS):
                    raise
                _log.warning("the database does not answer: %s", error)


def _start(
    claim: lifecycle.Claim, config: dict[str, Any], directory: Path, secret: str | None
) -> Trainer:
    directory.mkdir(parents=True)
    config_file = directory / CONFIG_FILE
    config_file.write_text(yaml_text(config), encoding="utf-8")
    command = [str(config_file), "--out", str(directory)]
    if claim.kind is RunKind.EVALUATION:
        # All attempts share the results: one that was cut off goes on where it was.
        command = ["evaluate", *command, "--results", str(directory.parent / RESULTS)]
    elif claim.kind is RunKind.EXPORT:
        command = ["export", *command]
        # Of an attempt that was cut off when all was made; only the last one's files are fetched.
        for left in directory.parent.glob("attempt-*/export"):
            shutil.rmtree(left, ignore_errors=True)
    elif (earlier := _resumable(claim, directory)) is not None:
        command += ["--resume", str(earlier)]
    return Trainer(command, directory, secret)


def _resumable(claim: lifecycle.Claim, directory: Path) -> Path | None:
    """Folder of the newest earlier attempt that left a checkpoint, or None: start from step 0."""
    for number in range(claim.attempt_number - 1, 0, -1):
        earlier = directory.with_name(f"attempt-{number}")
        if any(earlier.glob("checkpoints/step-*/manifest.json")):
            return earlier
    return None


def _reopen(database: Database, attempt_id: int) -> None:
    with database.write() as session:
        session.get_one(Attempt, attempt_id).drained = False


def drain_leftovers(database: Database) -> None:
    """Copy what earlier attempts on this host wrote and nobody has read to the end."""
    with database.read() as session:
        leftovers = session.execute(
            select(Attempt.id, Attempt.directory, Attempt.pid).where(
                Attempt.hostname == socket.gethostname(),
                Attempt.ended_at.is_not(None),
                Attempt.drained.is_(False),
            )
        ).all()
    for attempt_id, directory, pid in leftovers:
        if still_writes(pid, directory):
            continue  # cut off from its worker, but it still writes
        Tail(database, attempt_id, Path(directory)).drain()
        remove_temporary(Path(directory))
        with database.write() as session:
            session.get_one(Attempt, attempt_id).drained = True


def _unwritable(directory: Path, error: OSError) -> Problem:
    return Problem(
        code="storage_unwritable",
        message=f"The run's folder {directory} cannot be written: {error.strerror}.",
        remedy="Make room on the worker or mend the folder's permissions (UNISD_HOME).",
    )


def _over_time() -> Problem:
    return Problem(
        code="time_limit",
        message="The run used up its time limit; it was stopped and saved.",
        remedy="Raise the limit and resume it, if it was not done.",
    )


def _killed(watch: _Watch) -> Problem:
    return Problem(
        code="trainer_unresponsive",
        message=f"The trainer did not stop in time and was killed.{_said(watch)}",
        remedy=f"Its last checkpoint stays; see {LOG_FILE} in the attempt's folder.",
    )


def _said(watch: _Watch) -> str:
    words = watch.trainer.last_words()
    return f" Its last words: {words[-1500:]}" if words else ""


def _death(watch: _Watch, exit_code: int | None) -> Problem:
    """Why a trainer is gone that did not say goodbye."""
    said = _said(watch)
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
