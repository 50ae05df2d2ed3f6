"""The task queue. The web side sends tasks by name, with identifiers alone."""

from __future__ import annotations

from functools import lru_cache

from celery import Celery

from app.settings import Settings, get_settings

RUN_TASK = "unisd.run"
GPU_QUEUE = "gpu"
# Redis hands a task to someone else when it is not acknowledged within this time. Runs take longer
# than any sensible value, so the lease in SQL decides who runs what; this only keeps duplicates
# rare.
_VISIBILITY_SECONDS = 30 * 24 * 3600
DEFAULT_REDIS_URL = "redis://127.0.0.1:6379/0"


def make_celery(settings: Settings) -> Celery:
    """A Celery application as both sides configure it."""
    celery = Celery("unisd", broker=settings.redis_url or DEFAULT_REDIS_URL)
    celery.conf.update(
        task_default_queue=GPU_QUEUE,
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
            "visibility_timeout": _VISIBILITY_SECONDS,
            "socket_connect_timeout": 3,
            "socket_keepalive": True,
        },
    )
    return celery


@lru_cache
def _client() -> Celery:
    return make_celery(get_settings())


def send_run(run_id: str) -> None:
    """Ask a GPU worker to execute a run. Duplicates are harmless."""
    _client().send_task(RUN_TASK, args=[run_id], queue=GPU_QUEUE, retry=False)
