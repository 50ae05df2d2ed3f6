"""Saved views: how lists of runs were arranged, kept under names."""

from __future__ import annotations

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.models import SavedView
from app.projects.service import get_project
from app.views.schemas import ViewChange, ViewCreate


def list_views(
    session: Session, project_id: str | None, *, limit: int, offset: int
) -> tuple[list[SavedView], int]:
    """A page of the views of all runs and, if one is named, of a project; and how many."""
    of_project = SavedView.project_id == project_id
    mine = or_(SavedView.project_id.is_(None), of_project)
    total = session.execute(select(func.count(SavedView.id)).where(mine)).scalar_one()
    statement = select(SavedView).where(mine).order_by(SavedView.name, SavedView.id)
    return list(session.scalars(statement.limit(limit).offset(offset))), total


def get_view(session: Session, view_id: str) -> SavedView:
    """A view, or `NotFoundError`."""
    view = session.get(SavedView, view_id)
    if view is None:
        raise NotFoundError(f"There is no view “{view_id}”.", "It may have been deleted.")
    return view


def create_view(session: Session, wanted: ViewCreate, *, actor: str) -> SavedView:
    """Keep a view; its name must be free in its place."""
    if wanted.project_id is not None:
        get_project(session, wanted.project_id)
    _refuse_taken(session, wanted.project_id, wanted.name)
    view = SavedView(
        project_id=wanted.project_id,
        name=wanted.name,
        search=dict(wanted.search),
        created_by=actor,
    )
    session.add(view)
    session.flush()
    return view


def change_view(session: Session, view_id: str, wanted: ViewChange) -> SavedView:
    """Rename a view, or keep another arrangement under its name."""
    view = get_view(session, view_id)
    if wanted.name is not None and wanted.name != view.name:
        _refuse_taken(session, view.project_id, wanted.name)
        view.name = wanted.name
    if wanted.search is not None:
        view.search = dict(wanted.search)
    session.flush()
    return view


def delete_view(session: Session, view_id: str) -> None:
    """Forget a view; the runs stay."""
    session.delete(get_view(session, view_id))


def _refuse_taken(session: Session, project_id: str | None, name: str) -> None:
    place = SavedView.project_id == project_id  # `IS NULL` where there is none
    if session.scalars(select(SavedView.id).where(place, SavedView.name == name)).first():
        raise ConflictError(f"There is already a view “{name}” here.", "Choose another name.")
