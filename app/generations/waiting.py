"""What a comparison waits for, told so that one can decide whether to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.generations import progress
from app.models import Generation, Run, Worker
from app.runs import lifecycle
from app.settings import Settings
from core.generation_job import HELD, GenerationStatus
from core.schedule import Queue

_NAMED = 3
_MINUTE = 60.0


def reasons(session: Session, row: Generation, settings: Settings) -> list[str]:
    """What a queued comparison waits for, each a sentence; nothing for others."""
    return list(_reasons(session, row, settings)) if row.status is GenerationStatus.QUEUED else []


def _reasons(session: Session, row: Generation, settings: Settings) -> Iterator[str]:
    if progress.is_paused(session):
        yield "The queue “interactive” is paused."
    now = lifecycle.now(session).timestamp()
    alive = session.scalars(
        select(Worker).where(
            Worker.gone.is_(False), Worker.last_seen > now - settings.lease_seconds
        )
    ).all()
    fitting = [one for one in alive if _fits(one, row)]
    if not alive:
        yield "Waits until a worker is connected."
    elif not fitting:
        labels = f" with the labels {', '.join(row.labels)}" if row.labels else ""
        yield f"Waits until a worker serves the queue “interactive”{labels}; none does now."
    elif not (active := [one for one in fitting if one.mode == "active"]):
        told = ", ".join(f"{one.name} ({one.mode})" for one in fitting[:_NAMED])
        yield f"Waits until a worker takes work again: {told}."
    else:
        yield from _busy(session, active)
    before = session.execute(
        select(func.count(Generation.id)).where(
            Generation.status == GenerationStatus.QUEUED, Generation.created_at < row.created_at
        )
    ).scalar_one()
    if before:
        yield f"{before} other comparison{'s are' if before > 1 else ' is'} before it."


def _fits(worker: Worker, row: Generation) -> bool:
    return Queue.INTERACTIVE.value in worker.queues and set(row.labels) <= set(worker.labels)


def _busy(session: Session, active: Sequence[Worker]) -> Iterator[str]:
    answering = session.scalars(select(Generation.worker_id).where(Generation.status.in_(HELD)))
    at_it = set(answering)
    if any(one.run_id is None and one.id not in at_it for one in active):
        return
    runs = {
        run.id: run
        for run in session.scalars(
            select(Run).where(Run.id.in_([one.run_id for one in active if one.run_id]))
        )
    }
    told = "; ".join(_work(one, runs.get(one.run_id or "")) for one in active[:_NAMED])
    more = f"; {len(active) - _NAMED} more" if len(active) > _NAMED else ""
    yield f"All devices are busy. Waits until one is free: {told}{more}."
    if any(one.id not in at_it for one in active):
        yield (
            "To have answers beside training, keep a device or a processor for them: "
            "unisd worker --queues interactive"
        )


def _work(worker: Worker, run: Run | None) -> str:
    if run is None:
        return f"{worker.name} answers another comparison"
    return f"{worker.name} with “{run.name}”{_left(run)}"


def _left(run: Run) -> str:
    """About how long a run still trains, where that is known."""
    if run.total_steps is None or run.step_seconds is None or run.step >= run.total_steps:
        return ""
    seconds = (run.total_steps - run.step) * run.step_seconds
    if seconds < _MINUTE:
        return " (less than a minute left)"
    if seconds < 90 * _MINUTE:
        return f" (about {seconds / _MINUTE:.0f} min left)"
    return f" (about {seconds / 3600:.0f} h left)"
