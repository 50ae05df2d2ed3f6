"""Routes of workers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.deps import Actor, Limit, Offset, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.workers import service
from app.workers.schemas import ModeWish, SampleList, WorkerList, WorkerOut

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", responses=documented(422))
def list_workers(
    session: ReadSession, settings: SettingsDep, limit: Limit = 50, offset: Offset = 0
) -> WorkerList:
    """Workers with their latest heartbeat, those alive first."""
    items, total = service.list_workers(session, settings, limit=limit, offset=offset)
    return WorkerList(items=items, total=total, limit=limit, offset=offset)


@router.get("/{worker_id}", responses=documented(404))
def get_worker(session: ReadSession, settings: SettingsDep, worker_id: str) -> WorkerOut:
    """One worker."""
    return service.show(session, service.get_worker(session, worker_id), settings)


@router.get("/{worker_id}/samples", responses=documented(404, 422))
def list_samples(
    session: ReadSession,
    worker_id: str,
    seconds: Annotated[int, Query(ge=1, le=30 * 86_400, description="How far back.")] = 86_400,
    limit: Annotated[int, Query(ge=1, le=5000, description="Samples at most.")] = 1000,
) -> SampleList:
    """Load of the worker's host: every 15 s of the last day, every 10 min of the last month."""
    items = service.samples(session, worker_id, seconds=seconds, limit=limit)
    return SampleList(items=items)


@router.post("/{worker_id}/drain", responses=documented(404, 422))
def drain_worker(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    worker_id: str,
    wish: ModeWish | None = None,
) -> WorkerOut:
    """Have a worker finish its run and take no other."""
    reason = (wish or ModeWish()).reason
    worker = service.set_mode(session, worker_id, "draining", reason=reason, actor=actor)
    return service.show(session, worker, settings)


@router.post("/{worker_id}/quarantine", responses=documented(404, 422))
def quarantine_worker(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    worker_id: str,
    wish: ModeWish | None = None,
) -> WorkerOut:
    """Keep a worker from taking runs because something is wrong with it."""
    reason = (wish or ModeWish()).reason
    worker = service.set_mode(session, worker_id, "quarantined", reason=reason, actor=actor)
    return service.show(session, worker, settings)


@router.post("/{worker_id}/resume", responses=documented(404))
def resume_worker(
    session: WriteSession, settings: SettingsDep, actor: Actor, worker_id: str
) -> WorkerOut:
    """Let a worker take runs again."""
    worker = service.set_mode(session, worker_id, "active", reason="", actor=actor)
    return service.show(session, worker, settings)
