"""Workers: registering, heartbeats, and how they are shown."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.models import Run, Worker
from app.models.base import database_epoch
from app.workers.schemas import Hardware, Usage, WorkerOut


def register(session: Session, worker: dict[str, Any]) -> str:
    """Enter a worker that has just started; returns its identifier."""
    row = Worker(**worker, last_seen=_now(session))
    session.add(row)
    session.flush()
    return row.id


def heartbeat(session: Session, worker_id: str, *, usage: Usage, run_id: str | None) -> None:
    """A worker lives, does this and runs that."""
    _update(session, worker_id, usage=usage.model_dump(), run_id=run_id, gone=False)


def say_goodbye(session: Session, worker_id: str) -> None:
    """A worker has shut down."""
    _update(session, worker_id, gone=True, run_id=None)


def count_alive(session: Session, lease: float) -> int:
    """Workers that were heard of within the lease."""
    return session.execute(
        select(func.count(Worker.id)).where(
            Worker.gone.is_(False), Worker.last_seen > database_epoch() - lease
        )
    ).scalar_one()


def list_workers(
    session: Session, *, lease: float, limit: int, offset: int
) -> tuple[list[WorkerOut], int]:
    """A page of workers, those alive first, and how many there are."""
    now = _now(session)
    statement = (
        select(Worker, Run.name)
        .outerjoin(Run, Run.id == Worker.run_id)
        .order_by(Worker.gone, Worker.last_seen.desc(), Worker.id)
        .limit(limit)
        .offset(offset)
    )
    items = [_show(worker, name, now, lease) for worker, name in session.execute(statement)]
    return items, session.execute(select(func.count(Worker.id))).scalar_one()


def _show(worker: Worker, run_name: str | None, now: float, lease: float) -> WorkerOut:
    return WorkerOut(
        id=worker.id,
        name=worker.name,
        hostname=worker.hostname,
        pid=worker.pid,
        status=_status(worker, now, lease),
        started_at=worker.started_at,
        heartbeat_age=max(0.0, now - worker.last_seen),
        run_id=worker.run_id,
        run_name=run_name,
        hardware=Hardware.model_validate(worker.hardware),
        usage=Usage.model_validate(worker.usage),
        versions=worker.versions,
    )


def _status(worker: Worker, now: float, lease: float) -> Literal["idle", "busy", "lost", "gone"]:
    if worker.gone:
        return "gone"
    if now - worker.last_seen > lease:
        return "lost"
    return "busy" if worker.run_id else "idle"


def _now(session: Session) -> float:
    return float(session.execute(select(database_epoch())).scalar_one())


def _update(session: Session, worker_id: str, **values: Any) -> None:  # noqa: ANN401
    session.execute(
        update(Worker).where(Worker.id == worker_id).values(last_seen=database_epoch(), **values)
    )
