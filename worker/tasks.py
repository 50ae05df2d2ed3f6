"""Celery tasks: thin, calls for work."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from app.db import get_database
from app.queue import WORK_TASK
from app.settings import get_settings
from worker.answering import Answerer
from worker.celery_app import celery_app
from worker.presence import Presence
from worker.reaper import Reaper
from worker.supervisor import Supervisor, drain_leftovers
from worker.uploads import Uploads

_presence = Presence(get_database(), get_settings())
_uploads = Uploads(get_database(), get_settings())
_answerer = Answerer(get_database(), get_settings(), _presence)


@celery_app.task(name=WORK_TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def work() -> None:
    """Execute what waits for this worker, if anything does."""
    Supervisor(get_database(), get_settings(), _presence, _answerer).work()


@worker_ready.connect  # type: ignore[untyped-decorator]
def _ready(**_: Any) -> None:  # noqa: ANN401
    _presence.start()
    _uploads.start()
    if _presence.registered.is_set():
        # The runs of a worker that died on this host need not wait for their leases to end.
        Reaper(get_database(), get_settings()).take_back_dead()
        drain_leftovers(get_database())


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _shutting_down(**_: Any) -> None:  # noqa: ANN401
    _presence.leaving.set()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _shutdown(**_: Any) -> None:  # noqa: ANN401
    _answerer.release()
    _uploads.stop()
    _presence.stop()
