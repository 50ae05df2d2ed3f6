"""Routes of saved views."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from app.deps import Actor, Limit, Offset, ReadSession, WriteSession
from app.errors import documented
from app.views import service
from app.views.schemas import ViewChange, ViewCreate, ViewList, ViewOut

router = APIRouter(prefix="/views", tags=["views"])


@router.get("", responses=documented(422))
def list_views(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Those of this project, too.")] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> ViewList:
    """Views of all runs by name, and with a project also its own."""
    views, total = service.list_views(session, project_id, limit=limit, offset=offset)
    items = [ViewOut.model_validate(view) for view in views]
    return ViewList(items=items, total=total, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422))
def create_view(session: WriteSession, actor: Actor, wanted: ViewCreate) -> ViewOut:
    """Keep a view under a name."""
    return ViewOut.model_validate(service.create_view(session, wanted, actor=actor))


@router.get("/{view_id}", responses=documented(404))
def get_view(session: ReadSession, view_id: str) -> ViewOut:
    """One view."""
    return ViewOut.model_validate(service.get_view(session, view_id))


@router.patch("/{view_id}", responses=documented(404, 409, 422))
def change_view(session: WriteSession, view_id: str, wanted: ViewChange) -> ViewOut:
    """Rename a view, or keep another arrangement under its name."""
    return ViewOut.model_validate(service.change_view(session, view_id, wanted))


@router.delete("/{view_id}", status_code=status.HTTP_204_NO_CONTENT, responses=documented(404))
def delete_view(session: WriteSession, view_id: str) -> None:
    """Forget a view; the runs stay."""
    service.delete_view(session, view_id)
