"""The task queue: calls for work. Which run a worker then takes is decided in SQL.

So a message that is lost, doubled, late or out of order does no harm: it is a bell, not a letter.
"""

from __future__ import annotations

from functools import lru_cache

from celery import Celery

from app.settings import Settings, get_settings
from core.schedule import Queue

WORK_TASK = "unisd.work"
DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"


def make_celery(settings: Settings) -> Celery:
    """A Celery application as both sides configure it."""
    celery = Celery("unisd", broker=settings.redis_url or DEFAULT_REDIS_URL)
    celery.conf.update(
        task_default_queue=Queue.GPU.value,
        task_acks_late=True,
        task_reject_on_worker_lost=False,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": settings.visibility_seconds,
            "socket_connect_timeout": 3,
            # A link that was cut without a word is noticed and made anew.
            "socket_timeout": 10,
            "socket_keepalive": True,
            "health_check_interval": 10,
        },
    )
    return celery


@lru_cache
def _client() -> Celery:
    return make_celery(get_settings())


def send_work(queue: str) -> None:
    """Call a worker of a queue."""
    _client().send_task(WORK_TASK, queue=queue, retry=False)
