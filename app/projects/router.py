"""Routes of projects."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from app.deps import Limit, Offset, ReadSession, WriteSession
from app.errors import documented
from app.projects import service
from app.projects.schemas import ProjectCreate, ProjectList, ProjectOut

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", responses=documented(422))
def list_projects(
    session: ReadSession,
    name: Annotated[str | None, Query(description="Only the project of this name.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ProjectList:
    """Projects, newest first."""
    items, total = service.list_projects(session, name=name, limit=limit, offset=offset)
    return ProjectList(items=items, total=total, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(409, 422))
def create_project(session: WriteSession, wanted: ProjectCreate) -> ProjectOut:
    """Create a project."""
    return service.show(service.create_project(session, wanted), 0)


@router.get("/{project_id}", responses=documented(404))
def get_project(session: ReadSession, project_id: str) -> ProjectOut:
    """One project."""
    project = service.get_project(session, project_id)
    return service.show(project, service.count_runs(session, project_id))
