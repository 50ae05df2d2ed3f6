"""Which queued run a worker takes next, and what a queued run waits for.

Order: the interactive queue first, then priority, then place in the queue. A run that a worker
cannot take does not hold up those behind it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from app.db import after_commit
from app.errors import ConflictError
from app.models import QueueState, Run, Worker
from app.models.base import database_epoch
from app.queue import send_work
from app.runs import lifecycle
from app.workers.schemas import Hardware
from core.gguf import REPORTED_AS
from core.schedule import Queue
from core.states import RunStatus

_PAGE = 100
_GIB = 2**30
_NAMED_WORKERS = 3
_INTERACTIVE_FIRST = case((Run.queue == Queue.INTERACTIVE.value, 0), else_=1)
ORDER = (_INTERACTIVE_FIRST, Run.priority.desc(), Run.queue_place, Run.id)
"""Order in which queued runs start."""


class Place(NamedTuple):
    """Where a queued run stands."""

    position: int
    """Runs of its queue that are before it, and itself."""
    reasons: list[str]
    """What it waits for, each a sentence."""


def is_waiting() -> ColumnElement[bool]:
    """Runs that wait for a worker, now or after a pause."""
    return (Run.status == RunStatus.QUEUED) & Run.deleting.is_(False)


def is_due() -> ColumnElement[bool]:
    """Runs that a worker may start now."""
    paused = select(QueueState.name).where(QueueState.paused.is_(True))
    early = or_(Run.not_before.is_(None), Run.not_before <= database_epoch())
    return is_waiting() & early & Run.queue.not_in(paused)


def claim_next(
    session: Session, worker_id: str, *, directory: str, lease: float
) -> lifecycle.Claim | None:
    """Win the first run that this worker may and can take; None if there is none."""
    worker = session.get_one(Worker, worker_id, populate_existing=True)
    if worker.mode != "active":
        return None
    wanted = select(Run.id).where(is_due(), Run.queue.in_(worker.queues)).order_by(*ORDER)
    for run in _pages(session, wanted):
        if misfit(run, worker) is not None:
            continue
        claim = lifecycle.claim(
            session,
            run.id,
            worker_id=worker_id,
            hostname=worker.hostname,
            directory=directory,
            lease=lease,
        )
        if claim is not None:
            return claim
    return None


def _pages(session: Session, wanted: Select[str]) -> Iterator[Run]:
    ids = list(session.scalars(wanted))
    for start in range(0, len(ids), _PAGE):
        page = ids[start : start + _PAGE]
        found = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(page)))}
        yield from (found[run_id] for run_id in page if run_id in found)


class Wants(NamedTuple):
    """What a run asks of a worker; `content` is that of an export."""

    queue: str
    labels: list[str]
    gpu_memory_bytes: int | None
    devices: int | None
    content: str | None


def misfit(run: Run, worker: Worker) -> str | None:
    """Why a worker cannot take a run, in words; None if it can."""
    devices = run.config.get("training", {}).get("devices", 1)
    content = run.config.get("content")
    wants = Wants(run.queue, run.labels, run.gpu_memory_bytes, devices, content)
    return _misfit(wants, worker)


def _misfit(wants: Wants, worker: Worker) -> str | None:
    if wants.queue not in worker.queues:
        return f"does not serve the queue “{wants.queue}”"
    missing = sorted(set(wants.labels) - set(worker.labels))
    if missing:
        return f"lacks {_listed(missing)}"
    if wants.content == "gguf" and REPORTED_AS not in worker.versions:
        return "has no converter to GGUF"
    return _lacks_devices(wants, Hardware.model_validate(worker.hardware))


def _lacks_devices(wants: Wants, hardware: Hardware) -> str | None:
    devices = wants.devices or 1
    if hardware.gpus and devices > hardware.gpus:
        return f"has {hardware.gpus} of {devices} GPUs"
    needed = wants.gpu_memory_bytes
    if needed is not None and (hardware.gpu_memory or 0) < needed:
        if not hardware.gpus:
            return "has no GPU"
        has = (hardware.gpu_memory or 0) / _GIB
        return f"has {has:.3g} of {needed / _GIB:.3g} GiB of GPU memory"
    return None


def behind(session: Session, workers: Iterable[Worker]) -> dict[str, int]:
    """How many of the waiting runs each worker could take, by its identifier."""
    devices = Run.config["training"]["devices"].as_integer()
    content = Run.config["content"].as_string()
    columns = (Run.queue, Run.labels, Run.gpu_memory_bytes, devices, content)
    waiting = [Wants(*row) for row in session.execute(select(*columns).where(is_waiting()))]
    return {
        worker.id: sum(_misfit(wants, worker) is None for wants in waiting) for worker in workers
    }


def places(session: Session, runs: Sequence[Run], lease: float) -> dict[str, Place]:
    """Where queued runs stand and what each waits for; others are absent."""
    queued = [run for run in runs if run.status is RunStatus.QUEUED]
    if not queued:
        return {}
    # One statement: between two of them a worker may take a run.
    line = session.execute(select(Run.id, Run.queue).where(is_waiting()).order_by(*ORDER))
    position: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for run_id, queue in line:
        counts[queue] += 1
        position[run_id] = counts[queue]
    paused = set(session.scalars(select(QueueState.name).where(QueueState.paused.is_(True))))
    now = lifecycle.now(session).timestamp()
    alive = list(
        session.scalars(
            select(Worker).where(Worker.gone.is_(False), Worker.last_seen > now - lease)
        )
    )
    names = _run_names(session, alive)
    return {
        run.id: Place(position.get(run.id, 1), list(_reasons(run, alive, names, paused, now)))
        for run in queued
    }


def _run_names(session: Session, workers: Iterable[Worker]) -> dict[str, str]:
    busy = [worker.run_id for worker in workers if worker.run_id]
    return dict(session.execute(select(Run.id, Run.name).where(Run.id.in_(busy))).all())


def _reasons(
    run: Run, alive: Sequence[Worker], names: dict[str, str], paused: set[str], now: float
) -> Iterator[str]:
    if run.queue in paused:
        name = "GPU" if run.queue == Queue.GPU.value else run.queue
        yield f"The {name} queue is paused."
    if run.not_before is not None and run.not_before > now:
        yield f"The next attempt begins in {run.not_before - now:.0f} s."
    if not alive:
        yield "No worker is connected."
        return
    fitting = [worker for worker in alive if misfit(run, worker) is None]
    if not fitting:
        told = "; ".join(f"{one.name} {misfit(run, one)}" for one in alive[:_NAMED_WORKERS])
        more = len(alive) - _NAMED_WORKERS
        yield f"No worker fits: {told}{f'; {more} more' if more > 0 else ''}."
        return
    active = [worker for worker in fitting if worker.mode == "active"]
    if not active:
        told = ", ".join(f"{one.name} ({one.mode})" for one in fitting[:_NAMED_WORKERS])
        yield f"No worker that fits takes runs: {told}."
        return
    busy = [worker for worker in active if worker.run_id]
    if len(busy) == len(active):
        told = ", ".join(
            f"{one.name} with “{names.get(one.run_id or '', '?')}”" for one in busy[:_NAMED_WORKERS]
        )
        yield f"All workers that fit are busy: {told}."


def _listed(labels: Sequence[str]) -> str:
    return f"the label{'s' if len(labels) > 1 else ''} {', '.join(labels)}"


def move(session: Session, run: Run, before: Run | None, *, actor: str) -> None:
    """Put a queued run before another of its queue and priority, or (None) behind all.

    It takes over the other's priority, as it could not stand there otherwise.

    Raises:
        ConflictError: one of the two does not wait, or they wait in different queues.
    """
    if run.status is not RunStatus.QUEUED:
        raise ConflictError(f"The run is {run.status}.", "Only runs that wait can be moved.")
    same = [is_waiting(), Run.queue == run.queue]
    if before is None:
        run.priority = session.scalars(select(func.min(Run.priority)).where(*same)).one()
    elif before.status is not RunStatus.QUEUED or before.queue != run.queue or before.id == run.id:
        raise ConflictError(
            "The run cannot be put there.", "Name another run that waits in the same queue."
        )
    else:
        run.priority = before.priority
    same.append(Run.priority == run.priority)
    line = [one for one in session.scalars(select(Run).where(*same).order_by(*ORDER)) if one != run]
    line.insert(line.index(before) if before else len(line), run)
    for place, one in enumerate(line, start=1):
        one.queue_place = float(place)
    session.flush()
    lifecycle.record_steering(session, run, actor, {"before": before.id if before else None})


def pause(session: Session, queue: Queue, *, paused: bool, actor: str) -> QueueState:
    """Hold all runs of a queue back, or let them go. Runs that have started are not touched."""
    state = session.get(QueueState, queue.value) or QueueState(name=queue.value)
    state.paused, state.changed_by = paused, actor
    state.changed_at = lifecycle.now(session).timestamp()
    session.add(state)
    session.flush()
    if not paused:
        after_commit(session, lambda: send_work(queue.value))
    return state
