"""Celery tasks: thin, given identifiers only."""

from __future__ import annotations

import logging
from typing import Any

from celery.signals import worker_ready, worker_shutdown, worker_shutting_down

from app.db import get_database
from app.queue import RUN_TASK
from app.settings import get_settings
from worker.celery_app import celery_app
from worker.presence import Presence
from worker.supervisor import Supervisor, drain_leftovers
from worker.uploads import Uploads

_log = logging.getLogger(__name__)
_presence = Presence(get_database(), get_settings())
_uploads = Uploads(get_database(), get_settings())


@celery_app.task(name=RUN_TASK)  # type: ignore[untyped-decorator]  # Celery has no types
def execute_run(run_id: str) -> None:
    """Execute a run, unless it is someone else's by now."""
    Supervisor(get_database(), get_settings(), _presence).execute(run_id)


@worker_ready.connect  # type: ignore[untyped-decorator]
def _ready(**_: Any) -> None:  # noqa: ANN401
    _presence.start()
    _uploads.start()
    drain_leftovers(get_database())


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def _shutting_down(**_: Any) -> None:  # noqa: ANN401
    _presence.leaving.set()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def _shutdown(**_: Any) -> None:  # noqa: ANN401
    _uploads.stop()
    _presence.stop()
