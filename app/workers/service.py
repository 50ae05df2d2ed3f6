"""Workers: registering, heartbeats, modes, their past, and how they are shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.db import after_commit
from app.errors import NotFoundError
from app.models import Generation, Run, RunEvent, Worker, WorkerSample
from app.models.base import database_epoch
from app.queue import send_work
from app.runs import placement
from app.settings import Settings
from app.workers.processes import process_runs
from app.workers.schemas import Sample, Usage, WorkerMode, WorkerOut
from core.generation_job import HELD

SAMPLE_SECONDS: Final = 15
"""Time between two samples of the last day."""
_DAY_SECONDS: Final = 86_400
_THINNED_SECONDS: Final = 600
_KEPT_SECONDS: Final = 30 * _DAY_SECONDS


Status = Literal["idle", "busy", "stale", "lost", "gone"]


class Identity(NamedTuple):
    """What names a worker process."""

    name: str
    hostname: str
    host_key: str
    pid: int


class _Work(NamedTuple):
    """What a worker does."""

    name: str | None
    by: str


_NO_RUN: Final = _Work(None, "")


def register(session: Session, who: Identity, settings: Settings, told: dict[str, Any]) -> str:
    """Enter a worker that has just started; returns its identifier.

    A worker that comes back under its name on its host keeps its row, and with it its mode: a
    quarantine outlasts a restart. If another process of that name is alive there, this one gets a
    number after its name.
    """
    now = _now(session)
    name, number = who.name, 1
    while (row := _find(session, name, who.hostname)) is not None:
        alive = not row.gone and now - row.last_seen < settings.lease_seconds
        if not alive or (row.host_key, row.pid) == (who.host_key, who.pid) or _is_dead(row, who):
            break
        number += 1
        name = f"{who.name} ({number})"
    told |= {
        "labels": list(settings.worker_labels),
        "queues": [queue.value for queue in settings.worker_queues],
        "pid": who.pid,
        "host_key": who.host_key,
        "started_at": datetime.fromtimestamp(now, UTC),
        "last_seen": now,
        "gone": False,
        "run_id": None,
    }
    if row is None:
        row = Worker(name=name, hostname=who.hostname, **told)
        session.add(row)
    else:
        for column, value in told.items():
            setattr(row, column, value)
        row.starts += 1
    session.flush()
    return row.id


def _find(session: Session, name: str, hostname: str) -> Worker | None:
    return session.scalars(
        select(Worker)
        .where(Worker.name == name, Worker.hostname == hostname)
        .order_by(Worker.last_seen.desc())
        .limit(1)
        .with_for_update()
    ).one_or_none()


def _is_dead(row: Worker, who: Identity) -> bool:
    """Whether the process of a row, seen from the host of another, does not run any more."""
    return row.host_key == who.host_key and not process_runs(row.pid)


def heartbeat(session: Session, worker_id: str, *, usage: Usage, run_id: str | None) -> None:
    """A worker lives, does this and runs that. A sample is kept at times."""
    told = usage.model_dump(mode="json")
    _update(session, worker_id, usage=told, run_id=run_id, gone=False)
    now = math.floor(_now(session))
    last = session.execute(
        select(func.max(WorkerSample.time)).where(WorkerSample.worker_id == worker_id)
    ).scalar_one()
    if last is None or now - last >= SAMPLE_SECONDS:
        for gpu in told["gpus"]:
            gpu["processes"] = []  # names of processes are for now, not for the record
        session.add(WorkerSample(worker_id=worker_id, time=now, usage=told))


def thin_samples(session: Session) -> None:
    """Of samples older than a day keep one in ten minutes, and none older than a month."""
    now = math.floor(_now(session))
    session.execute(delete(WorkerSample).where(WorkerSample.time < now - _KEPT_SECONDS))
    bucket = WorkerSample.time - WorkerSample.time % _THINNED_SECONDS
    old = WorkerSample.time < now - _DAY_SECONDS
    kept = (
        select(WorkerSample.worker_id, func.min(WorkerSample.time).label("time"))
        .where(old)
        .group_by(WorkerSample.worker_id, bucket)
        .subquery()
    )
    is_kept = (
        select(kept.c.time)
        .where(kept.c.worker_id == WorkerSample.worker_id, kept.c.time == WorkerSample.time)
        .exists()
    )
    session.execute(delete(WorkerSample).where(old, ~is_kept))


def pids_on(session: Session, host_key: str) -> set[int]:
    """Processes of the workers that are alive on a host."""
    return set(
        session.scalars(
            select(Worker.pid).where(Worker.host_key == host_key, Worker.gone.is_(False))
        )
    )


def say_goodbye(session: Session, worker_id: str) -> None:
    """A worker has shut down."""
    _update(session, worker_id, gone=True, run_id=None)


def set_mode(
    session: Session, worker_id: str, mode: WorkerMode, *, reason: str, actor: str
) -> Worker:
    """Let a worker take runs, or none any more. The run that it has goes on."""
    worker = get_worker(session, worker_id)
    worker.mode, worker.mode_reason, worker.mode_by = mode, reason, actor
    worker.mode_since = _now(session)
    session.flush()
    if mode == "active":
        for queue in worker.queues:
            _call(session, queue)
    return worker


def _call(session: Session, queue: str) -> None:
    after_commit(session, lambda: send_work(queue))


def get_worker(session: Session, worker_id: str) -> Worker:
    """A worker, or `NotFoundError`."""
    worker = session.get(Worker, worker_id)
    if worker is None:
        raise NotFoundError(
            f"There is no worker “{worker_id}”.", "Choose one of the list of workers."
        )
    return worker


def count_alive(session: Session, lease: float) -> int:
    """Workers that were heard of within the lease."""
    return session.execute(
        select(func.count(Worker.id)).where(
            Worker.gone.is_(False), Worker.last_seen > database_epoch() - lease
        )
    ).scalar_one()


def list_workers(
    session: Session, settings: Settings, *, limit: int, offset: int
) -> tuple[list[WorkerOut], int]:
    """A page of workers, those alive first, and how many there are."""
    order = (Worker.gone, Worker.name, Worker.last_seen.desc(), Worker.id)
    workers = session.scalars(select(Worker).order_by(*order).limit(limit).offset(offset)).all()
    total = session.execute(select(func.count(Worker.id))).scalar_one()
    return _shown(session, workers, settings), total


def show(session: Session, worker: Worker, settings: Settings) -> WorkerOut:
    """A worker as the API shows it."""
    return _shown(session, [worker], settings)[0]


def _shown(session: Session, workers: Sequence[Worker], settings: Settings) -> list[WorkerOut]:
    now = _now(session)
    runs = _busy_with(session, [worker.run_id for worker in workers if worker.run_id])
    waiting = placement.behind(session, workers)
    answering = set(
        session.scalars(select(Generation.worker_id).where(Generation.status.in_(HELD)))
    )
    shown = []
    for worker in workers:
        status = status_of(worker, now, settings, answers=worker.id in answering)
        work = runs.get(worker.run_id or "", _NO_RUN)
        shown.append(_show(worker, work, waiting[worker.id], now, status))
    return shown


def _busy_with(session: Session, run_ids: Sequence[str]) -> dict[str, _Work]:
    """Names of runs, and who asked for each: its history begins with that."""
    if not run_ids:
        return {}
    names = session.execute(select(Run.id, Run.name).where(Run.id.in_(run_ids)))
    first = select(RunEvent).where(RunEvent.run_id.in_(run_ids), RunEvent.cursor == 1)
    events = session.scalars(first)
    actors = {event.run_id: str(event.payload.get("actor", "")) for event in events}
    return {run_id: _Work(name, actors.get(run_id, "")) for run_id, name in names}


def samples(session: Session, worker_id: str, *, seconds: int, limit: int) -> list[Sample]:
    """The worker's past so far back, thinned to a number of samples at most."""
    get_worker(session, worker_id)
    of_worker = WorkerSample.worker_id == worker_id
    newest_first = session.scalars(
        select(WorkerSample.time)
        .where(of_worker, WorkerSample.time > _now(session) - seconds)
        .order_by(WorkerSample.time.desc())
    ).all()
    chosen = newest_first[:: max(1, math.ceil(len(newest_first) / limit))]
    rows = session.scalars(
        select(WorkerSample)
        .where(of_worker, WorkerSample.time.in_(chosen))
        .order_by(WorkerSample.time)
    )
    return [
        Sample(time=row.time, **Usage.model_validate(row.usage).model_dump(exclude={"problems"}))
        for row in rows
    ]


def _show(worker: Worker, work: _Work, waiting: int, now: float, status: Status) -> WorkerOut:
    return WorkerOut.model_validate(
        {
            "id": worker.id,
            "name": worker.name,
            "hostname": worker.hostname,
            "pid": worker.pid,
            "status": status,
            "mode": worker.mode,
            "mode_reason": worker.mode_reason,
            "mode_by": worker.mode_by,
            "mode_since": worker.mode_since,
            "labels": worker.labels,
            "queues": worker.queues,
            "started_at": worker.started_at,
            "starts": worker.starts,
            "heartbeat_age": max(0.0, now - worker.last_seen),
            "run_id": worker.run_id,
            "run_name": work.name,
            "run_by": work.by,
            "waiting": waiting,
            "hardware": worker.hardware,
            "usage": worker.usage,
            "versions": worker.versions,
        }
    )


def status_of(worker: Worker, now: float, settings: Settings, *, answers: bool = False) -> Status:
    """How a worker stands, by when it was last heard of."""
    if worker.gone:
        return "gone"
    age = now - worker.last_seen
    if age > settings.lease_seconds:
        return "lost"
    if age > settings.stale_seconds:
        return "stale"
    return "busy" if worker.run_id or answers else "idle"


def _now(session: Session) -> float:
    return float(session.execute(select(database_epoch())).scalar_one())


def _update(session: Session, worker_id: str, **values: Any) -> None:  # noqa: ANN401
    session.execute(
        update(Worker).where(Worker.id == worker_id).values(last_seen=database_epoch(), **values)
    )
