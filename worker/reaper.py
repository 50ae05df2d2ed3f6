"""Takes runs back from workers that fell silent, calls workers, and removes what was deleted.

Run one of these for an installation; several do no harm, since each step is a compare-and-set.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
import time
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import notify
from app.db import Database, get_database
from app.exports.secrets import forget_leftovers
from app.generations import progress
from app.models import Attempt, Run, Worker
from app.models.base import database_epoch
from app.queue import send_work
from app.runs import lifecycle, placement
from app.runs.deletion import remove_deleted
from app.runs.ingest import final_status
from app.runs.repository import find_attempt
from app.settings import Settings, get_settings
from app.storage.store import StoreError
from app.workers.processes import host_key, process_runs
from app.workers.service import thin_samples
from core.errors import Problem
from core.schedule import Queue
from core.states import LEASED, Cause, RunStatus
from worker.supervisor import drain_leftovers
from worker.tail import Tail

_log = logging.getLogger(__name__)
_LONGEST_ROUND_SECONDS = 5.0
_THINNING_SECONDS = 600.0
_LOST = Problem(
    code="worker_lost",
    message="The worker that answered was lost twice.",
    remedy="See its log for why; often the machine ran out of memory. Then ask again.",
)


class Reaper:
    """Sees after runs whose workers cannot."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self.pause = min(_LONGEST_ROUND_SECONDS, settings.lease_seconds / 3)
        """Seconds between rounds."""
        self._last_round: float | None = None
        self._patient_until = 0.0
        self._thinned = float("-inf")

    def be_patient(self) -> None:
        """Give workers the time of a whole lease to come back before a run is taken from one.

        A reaper that has just started does not know for how long nobody could renew a lease.
        """
        self._patient_until = time.monotonic() + self._settings.lease_seconds

    def round(self) -> None:
        """Look once.

        Raises:
            SQLAlchemyError: the database does not answer; the next round sees after the rest.
        """
        self.take_back_dead()
        self._take_back_silent()
        self._take_back_answers()
        self._forget_followed()
        drain_leftovers(self._database)
        self._call_workers()
        forget_leftovers(self._database)
        remove_deleted(self._database, self._settings)
        if time.monotonic() - self._thinned > _THINNING_SECONDS:
            self._thinned = time.monotonic()
            with self._database.write() as session:
                thin_samples(session)

    def take_back_dead(self) -> None:
        """Take back runs of workers of this host whose process is gone: nobody renews their lease.

        Elsewhere only the end of the lease tells.
        """
        with self._database.read() as session:
            held = session.execute(
                select(Run.id, Run.lease_token, Worker.pid)
                .join(Worker, Worker.id == Run.worker_id)
                .where(Run.status.in_(LEASED), Worker.host_key == host_key())
            ).all()
        for run_id, token, pid in held:
            if token is not None and not process_runs(pid):
                self._take_back(run_id, token, dead=True)

    def _take_back_silent(self) -> None:
        """Take back runs whose lease has ended.

        While the database was away nobody could renew a lease. So after a gap between two rounds
        workers get the time of a whole lease to come back first.
        """
        with self._database.read() as session:
            expired = lifecycle.expired_runs(session)
        now = time.monotonic()
        if self._last_round is not None and now - self._last_round > 2 * self.pause + 1.0:
            self.be_patient()
        self._last_round = now
        if now < self._patient_until:
            return
        for run_id, token in expired:
            self._take_back(run_id, token, dead=False)

    def _take_back_answers(self) -> None:
        """Have another worker answer what a lost one was asked side by side.

        One that may live gets the time to come back that runs give it.
        """
        with self._database.read() as session:
            held = progress.held(session)
            now = lifecycle.now(session).timestamp()
        for generation_id, token, expires, key, pid in held:
            dead = key == host_key() and pid is not None and not process_runs(pid)
            silent = now > expires and time.monotonic() >= self._patient_until
            if dead or silent:
                with self._database.write() as session:
                    progress.give_back(session, generation_id, token, _LOST)

    def _forget_followed(self) -> None:
        """Remove the pieces of answers that are whole, once nobody follows them any more."""
        with self._database.read() as session:
            over = progress.followed_to_the_end(session)
        for generation_id in over:
            with self._database.write() as session:
                progress.forget_chunks(session, generation_id)

    def _take_back(self, run_id: str, lease_token: str, *, dead: bool) -> None:
        settings = self._settings
        with self._database.write() as session:
            token = lifecycle.take_over(
                session, run_id, lease_token, settings.lease_seconds, even_if_valid=dead
            )
            attempt = find_attempt(session, run_id, None)
        if token is None or attempt is None:
            return
        here = attempt.hostname == socket.gethostname()
        finished = None
        if here:
            finished = Tail(self._database, attempt.id, Path(attempt.directory)).drain().finished
        with self._database.write() as session:
            run = lifecycle.lock(session, run_id)
            if run.lease_token != token:
                return
            verdict = final_status(finished, run.status)
            row = session.get_one(Attempt, attempt.id)
            if verdict is None:
                _log.warning("run %s: its worker on %s is lost", run_id, attempt.hostname)
                problem = _silence(attempt, settings, dead=dead)
                lifecycle.give_back(session, run, problem, Cause.LEASE_EXPIRED, settings)
                lifecycle.close_attempt(session, row, RunStatus.CRASHED, None)
            else:
                lifecycle.finish(session, run, *verdict, actor=lifecycle.REAPER)
                lifecycle.close_attempt(session, row, verdict[0], None)
            # More may have come since, or may still come: `drain_leftovers` sees to it.
            row.drained = False

    def _call_workers(self) -> None:
        """Call again where runs wait, workers idle, and no call is on its way.

        So lost messages, ended pauses and calls that a worker heard who could not take the run are
        all made good.
        """
        for queue, runs in self._waiting().items():
            idle = self._idle(queue)
            try:
                if idle and not notify.queue_length(queue):
                    for _ in range(min(idle, runs)):
                        send_work(queue)
            except (RedisError, OSError) as error:
                _log.warning("Redis does not answer: %s", error)
                return

    def _waiting(self) -> dict[str, int]:
        with self._database.read() as session:
            due = select(Run.queue, func.count(Run.id)).where(placement.is_due())
            waiting = dict(session.execute(due.group_by(Run.queue)).all())
            if answers := progress.count_waiting(session):
                queue = Queue.INTERACTIVE.value
                waiting[queue] = waiting.get(queue, 0) + answers
            return waiting

    def _idle(self, queue: str) -> int:
        with self._database.read() as session:
            free = session.scalars(
                select(Worker).where(
                    Worker.gone.is_(False),
                    Worker.mode == "active",
                    Worker.run_id.is_(None),
                    Worker.last_seen > database_epoch() - self._settings.lease_seconds,
                )
            )
            return sum(queue in worker.queues for worker in free)


def _silence(attempt: Attempt, settings: Settings, *, dead: bool) -> Problem:
    if dead:
        return Problem(
            code="worker_lost",
            message=f"The worker on {attempt.hostname} died; attempt {attempt.number} is lost.",
            remedy="See its log for why; often the machine ran out of memory.",
        )
    return Problem(
        code="worker_lost",
        message=f"The worker on {attempt.hostname} has not been heard of for "
        f"{settings.lease_seconds:g} s; attempt {attempt.number} is lost.",
        remedy="Look at that machine; start the run again when a worker is there.",
    )


def main() -> None:
    """Reap until asked to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    reaper = Reaper(get_database(), get_settings())
    reaper.be_patient()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(reaper.pause):
        try:
            reaper.round()
        except (SQLAlchemyError, OSError, StoreError) as error:
            _log.warning("this round was not finished: %s", error)


if __name__ == "__main__":
    main()
