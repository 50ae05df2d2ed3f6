"""Takes runs back from workers that fell silent, and sends tasks again that were lost.

Run one of these for an installation; several do no harm, since each step is a compare-and-set.
"""

from __future__ import annotations

import logging
import signal
import socket
import threading
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app import notify
from app.db import Database, get_database
from app.models import Attempt, Run
from app.models.base import database_epoch
from app.runs import lifecycle
from app.runs.ingest import final_status
from app.runs.repository import find_attempt
from app.settings import Settings, get_settings
from core.errors import Problem
from core.states import RunStatus
from worker.supervisor import close_attempt, drain_leftovers
from worker.tail import Tail

_log = logging.getLogger(__name__)
# A queued run's task may be on its way for so long before it counts as lost.
_TASK_PATIENCE_SECONDS = 10.0


def reap(database: Database, settings: Settings) -> None:
    """One round."""
    with database.read() as session:
        expired = lifecycle.expired_runs(session)
    for run_id, lease_token in expired:
        _take_back(database, settings, run_id, lease_token)
    drain_leftovers(database)
    resend_lost_tasks(database)


def _take_back(database: Database, settings: Settings, run_id: str, lease_token: str) -> None:
    with database.write() as session:
        token = lifecycle.take_over(session, run_id, lease_token, settings.lease_seconds)
        attempt = find_attempt(session, run_id, None)
    if token is None or attempt is None:
        return
    here = attempt.hostname == socket.gethostname()
    finished = None
    if here:
        finished = Tail(database, attempt.id, Path(attempt.directory)).drain().finished
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        if run.lease_token != token:
            return
        verdict = final_status(finished, run.status)
        row = session.get_one(Attempt, attempt.id)
        if verdict is None:
            _log.warning("run %s: its worker on %s is silent", run_id, attempt.hostname)
            lifecycle.give_back(session, run, _silence(attempt, settings))
            close_attempt(row, RunStatus.CRASHED, None)
        else:
            lifecycle.finish(session, run, *verdict)
            close_attempt(row, verdict[0], None)
        row.drained = here


def _silence(attempt: Attempt, settings: Settings) -> Problem:
    return Problem(
        code="worker_lost",
        message=f"The worker on {attempt.hostname} has not been heard of for "
        f"{settings.lease_seconds:g} s; attempt {attempt.number} is lost.",
        remedy="Look at that machine; start the run again when a worker is there.",
    )


def resend_lost_tasks(database: Database) -> None:
    """Send the tasks of queued runs again when the queue holds fewer tasks than there are runs."""
    with database.read() as session:
        queued = session.execute(
            select(func.count(Run.id)).where(Run.status == RunStatus.QUEUED)
        ).scalar_one()
    try:
        if queued == 0 or notify.queue_length() >= queued:
            return
    except (RedisError, OSError) as error:
        _log.warning("Redis does not answer: %s", error)
        return
    with database.write() as session:
        lost = session.scalars(
            select(Run)
            .where(
                Run.status == RunStatus.QUEUED,
                func.coalesce(Run.enqueued_at, 0.0) < database_epoch() - _TASK_PATIENCE_SECONDS,
            )
            .order_by(Run.created_at)
            .limit(100)
        ).all()
        for run in lost:
            _log.info("run %s: its task is sent again", run.id)
            lifecycle.enqueue(session, run)


def main() -> None:
    """Reap until asked to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    database, settings = get_database(), get_settings()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(min(5.0, settings.lease_seconds / 3)):
        try:
            reap(database, settings)
        except SQLAlchemyError as error:
            _log.warning("the database does not answer: %s", error)


if __name__ == "__main__":
    main()
