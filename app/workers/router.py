"""Routes of workers."""

from __future__ import annotations

from fastapi import APIRouter

from app.deps import Limit, Offset, ReadSession, SettingsDep
from app.errors import documented
from app.workers import service
from app.workers.schemas import WorkerList

router = APIRouter(prefix="/workers", tags=["workers"])


@router.get("", responses=documented(422))
def list_workers(
    session: ReadSession, settings: SettingsDep, limit: Limit = 50, offset: Offset = 0
) -> WorkerList:
    """Workers with their latest heartbeat, those alive first."""
    items, total = service.list_workers(
        session, lease=settings.lease_seconds, limit=limit, offset=offset
    )
    return WorkerList(items=items, total=total, limit=limit, offset=offset)
