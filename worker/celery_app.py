"""The Celery application of a worker: `celery -A worker.celery_app worker`.

One worker serves one GPU with one slot. Its pool is a thread: the task only supervises a child
process, and killing the one worker process kills nothing else that would have to be found again.
"""

from __future__ import annotations

from app.queue import make_celery
from app.settings import get_settings

celery_app = make_celery(get_settings())
celery_app.conf.update(
    imports=("worker.tasks",),
    worker_pool="threads",
    worker_concurrency=1,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
)
