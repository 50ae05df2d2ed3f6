"""Routes of queues."""

from __future__ import annotations

from fastapi import APIRouter
from sqlalchemy import func, select

from app.deps import Actor, Limit, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.models import QueueState, Run
from app.queues.schemas import QueuedRun, QueueList, QueueOut
from app.runs import placement, present
from core.schedule import Queue

router = APIRouter(prefix="/queues", tags=["queues"])


@router.get("", responses=documented(422))
def list_queues(session: ReadSession, settings: SettingsDep, limit: Limit = 100) -> QueueList:
    """Each queue, and the first runs that wait in it, in the order in which they start."""
    states = {state.name: state for state in session.scalars(select(QueueState))}
    items = []
    for queue in Queue:
        waiting = placement.is_waiting() & (Run.queue == queue.value)
        count = session.execute(select(func.count(Run.id)).where(waiting)).scalar_one()
        runs = list(
            session.scalars(select(Run).where(waiting).order_by(*placement.ORDER).limit(limit))
        )
        places = placement.places(session, runs, settings.stale_seconds)
        state = states.get(queue.value)
        items.append(
            QueueOut(
                name=queue,
                paused=state is not None and state.paused,
                changed_by=state.changed_by if state else None,
                changed_at=state.changed_at if state else None,
                waiting=count,
                runs=[
                    QueuedRun(
                        run=summary,
                        position=places[summary.id].position,
                        reasons=places[summary.id].reasons,
                    )
                    for summary in present.summaries(session, runs)
                ],
            )
        )
    return QueueList(items=items)


@router.post("/{name}/pause", status_code=204, responses=documented(422))
def pause_queue(session: WriteSession, actor: Actor, name: Queue) -> None:
    """Hold back all runs that wait. Those that have started go on."""
    placement.pause(session, name, paused=True, actor=actor)


@router.post("/{name}/resume", status_code=204, responses=documented(422))
def resume_queue(session: WriteSession, actor: Actor, name: Queue) -> None:
    """Let runs start again."""
    placement.pause(session, name, paused=False, actor=actor)
