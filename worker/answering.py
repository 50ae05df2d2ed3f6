"""Generates answers side by side with a model process that stays warm between comparisons.

The process is ended when nothing was asked for a while (it does that itself), when a run is about
to need the device, and when its worker is drained or leaves.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.db import Database
from app.generations import progress
from app.generations.progress import Claim, LostError
from app.settings import Settings
from core.errors import Problem, StudioError
from core.generation_job import GenerationJob, GenerationStatus, Order, TokenTold, Told
from worker.inputs import bring_weights
from worker.model_process import ModelProcess, ProcessGoneError
from worker.presence import Presence

_log = logging.getLogger(__name__)
_LOOK_SECONDS: Final = 0.25
_KEEP_SECONDS: Final = 1.0
_TAKE_SECONDS: Final = 0.08
"""So long tokens are gathered for one write; the first are written at once."""
_CANCEL_SECONDS: Final = 5.0
"""A process that does not heed a cancellation for so long, as one that loads, is ended."""
_WATCH_SECONDS: Final = 0.5
_OVER: Final = {
    "done": GenerationStatus.DONE,
    "cancelled": GenerationStatus.CANCELLED,
    "failed": GenerationStatus.FAILED,
}
_LEFT = Problem(
    code="worker_left",
    message="The worker was shut down while it answered.",
    remedy="Ask again when a worker is there.",
)


class _Over(Exception):  # noqa: N818 - no error
    """The comparison has ended, and that is written."""


class Answerer:
    """Answers comparisons for one worker."""

    def __init__(self, database: Database, settings: Settings, presence: Presence) -> None:
        self._database = database
        self._settings = settings
        self._presence = presence
        self._process: ModelProcess | None = None
        self._lock = threading.Lock()
        self._busy = threading.Event()

    def answer_next(self) -> bool:
        """Generate what waits first; whether there was anything."""
        with self._database.write() as session:
            claim = progress.claim_next(
                session, self._presence.worker_id, self._settings.lease_seconds
            )
        if claim is None:
            return False
        self._busy.set()
        try:
            _Answering(self, self._database, self._settings, self._presence, claim).answer()
        except LostError:
            _log.warning("comparison %s is no longer this worker's", claim.id)
            self.release()
        finally:
            self._busy.clear()
        return True

    def release(self) -> None:
        """End the model process, so that its memory is free for a run."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.close()

    def process(self) -> ModelProcess:
        """The model process, started if there is none."""
        with self._lock:
            if self._process is None or not self._process.is_alive():
                log = self._settings.home / "logs" / f"model-{os.getpid()}.log"
                self._process = ModelProcess(self._settings.warm_seconds, log)
                threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
            return self._process

    def _watch(self, process: ModelProcess) -> None:
        """End it when the worker leaves, or takes nothing more and nobody waits for an answer."""
        while process.is_alive():
            time.sleep(_WATCH_SECONDS)
            drained = not self._presence.takes_work.is_set() and not self._busy.is_set()
            if self._presence.leaving.is_set() or drained:
                process.close()


class _Answering:
    """One comparison."""

    def __init__(
        self,
        answerer: Answerer,
        database: Database,
        settings: Settings,
        presence: Presence,
        claim: Claim,
    ) -> None:
        self._answerer = answerer
        self._database = database
        self._settings = settings
        self._presence = presence
        self._claim = claim
        self._process: ModelProcess | None = None
        self._began = time.monotonic()
        self._next_renewal = 0.0
        self._first: float | None = None
        self._last = self._began
        self._cancelled_at: float | None = None
        self._heard = False
        self._kept = 0
        self._held: list[TokenTold] = []
        self._written = 0.0

    def answer(self) -> None:
        """Generate it from its order to its end.

        Raises:
            LostError: it is no longer this worker's.
            SQLAlchemyError: the worker leaves, and the database takes nothing.
        """
        try:
            self._answer()
        except (LostError, SQLAlchemyError):
            raise
        except Exception as error:  # noqa: BLE001 - or it would stay until its lease ends
            _log.exception("comparison %s broke", self._claim.id)
            self._answerer.release()
            self._end(GenerationStatus.FAILED, _broke(error))

    def _answer(self) -> None:
        try:
            self._insist()
        except _Over:
            return
        except ProcessGoneError:
            self._gone()
        except StudioError as error:
            self._end(GenerationStatus.FAILED, error.problem)
        except OSError as error:
            self._end(GenerationStatus.FAILED, _unwritable(error))

    def _insist(self) -> None:
        """Generate it; once more where the process went idle just as it was asked."""
        try:
            self._generate()
        except ProcessGoneError:
            process = self._process
            asked = self._heard or self._cancelled_at is not None
            if asked or process is None or not process.was_idle():
                raise
            self._generate()

    def _generate(self) -> None:
        job = GenerationJob.model_validate(self._claim.job)
        job = bring_weights(self._settings, job, self._keep)
        process = self._order(Order(kind="generate", id=self._claim.id, job=job))
        while True:
            told = process.told(_LOOK_SECONDS if not self._held else _TAKE_SECONDS)
            if told is not None and told.id == self._claim.id and self._take(told):
                return
            self._flush(patient=told is not None)
            self._keep(process)

    def _order(self, order: Order) -> ModelProcess:
        self._process = self._answerer.process()
        try:
            self._process.order(order)
        except ProcessGoneError:  # it had been idle for long enough just then
            self._process.close()
            self._process = self._answerer.process()
            self._process.order(order)
        return self._process

    def _take(self, told: Told) -> bool:
        """Keep what the process said; whether that was the last of it."""
        self._heard = True
        if told.kind == "tokens":
            self._last = time.monotonic()
            self._first = self._first or self._last
            self._held += told.tokens
            return False
        self._flush()
        if told.kind == "loading":
            self._write(lambda: self._told_loading(told.detail))
        elif told.kind == "prompts":
            self._write(lambda: self._told_prompts(told))
        else:
            self._end(_OVER[told.kind], told.problem)
            return True
        return False

    def _told_loading(self, detail: str) -> None:
        with self._database.write() as session:
            progress.told_loading(session, self._claim, detail)

    def _told_prompts(self, told: Told) -> None:
        prompts = [
            {"text": text, "tokens": tokens}
            for text, tokens in zip(told.prompts, told.prompt_tokens, strict=True)
        ]
        with self._database.write() as session:
            progress.told_prompts(session, self._claim, prompts)

    def _flush(self, *, patient: bool = False) -> None:
        """Write the tokens that are held; if `patient`, only when the last write is a while ago."""
        recent = time.monotonic() - self._written < _TAKE_SECONDS
        if not self._held or (patient and recent):
            return
        held, self._held = self._held, []
        before: int | None = None

        def add() -> None:
            nonlocal before
            # Of a write that fails it is not known whether it came through.
            known, before = before, self._kept
            with self._database.write() as session:
                progress.add_tokens(session, self._claim, held, before=known)

        self._write(add)
        self._kept += len(held)
        self._written = time.monotonic()

    def _keep(self, process: ModelProcess | None = None) -> None:
        """Renew the lease, and pass a wish to cancel on.

        Raises:
            LostError: it is no longer this worker's.
            ProcessGoneError: the worker leaves, and the process was ended for that.
            _Over: it is cancelled, or given back before it came to the process.
        """
        if process is None and self._presence.leaving.is_set():
            self._write(lambda: self._give_back(_LEFT))
            raise _Over
        now = time.monotonic()
        if self._cancelled_at is not None and now - self._cancelled_at > _CANCEL_SECONDS:
            self._answerer.release()
            self._end(GenerationStatus.CANCELLED)
            raise _Over
        if now < self._next_renewal:
            return
        self._next_renewal = now + (_LOOK_SECONDS if process else _KEEP_SECONDS)
        try:
            with self._database.write() as session:
                cancelled = progress.renew(session, self._claim, self._settings.lease_seconds)
        except SQLAlchemyError as error:
            _log.warning("the lease was not renewed: %s", error)
            return
        if cancelled and self._cancelled_at is None:
            self._cancelled_at = now
            if process is None:
                self._end(GenerationStatus.CANCELLED)
                raise _Over
            process.order(Order(kind="cancel", id=self._claim.id))

    def _gone(self) -> None:
        """The model process ended before it had answered."""
        if self._presence.leaving.is_set():
            self._write(lambda: self._give_back(_LEFT))
            return
        if self._cancelled_at is not None:
            self._end(GenerationStatus.CANCELLED)
            return
        self._end(GenerationStatus.FAILED, _died(self._process))

    def _give_back(self, problem: Problem) -> None:
        with self._database.write() as session:
            progress.give_back(session, self._claim.id, self._claim.token, problem)

    def _end(self, status: GenerationStatus, problem: Problem | None = None) -> None:
        self._flush()

        def finish() -> None:
            with self._database.write() as session:
                if self._first is not None:
                    first, rest = self._first - self._began, self._last - self._first
                    progress.note_pace(session, self._claim, first, rest)
                progress.finish(session, self._claim, status, problem)

        self._write(finish)

    def _write(self, action: Callable[[], None]) -> None:
        """Write until the database takes it, or the worker leaves."""
        while True:
            try:
                action()
            except SQLAlchemyError as error:
                if self._presence.leaving.wait(1.0):
                    raise
                _log.warning("the database does not take answers: %s", error)
            else:
                return


def _unwritable(error: OSError) -> Problem:
    return Problem(
        code="storage_unwritable",
        message=f"The worker could not answer: {error}.",
        remedy="Make room on the worker or mend the permissions of its folder (UNISD_HOME).",
    )


def _broke(error: Exception) -> Problem:
    return Problem(
        code="internal_error",
        message=f"The worker broke while it answered: {type(error).__name__}: {error}",
        remedy="This is a bug; please report it with the traceback in the worker's log.",
    )


def _died(process: ModelProcess | None) -> Problem:
    how = "could not be started." if process is None else process.why_gone()
    return Problem(
        code="model_process_died",
        message=f"The process that holds the model {how}",
        remedy="Often the machine ran out of memory: compare fewer columns or samples, or allow "
        "shorter answers.",
    )
