"""Projects: creating and finding them."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import ConflictError, NotFoundError
from app.models import Project, Run
from app.projects.schemas import ProjectCreate, ProjectOut
from core.states import RunKind
from core.study import DEFAULT_PROJECT


def get_project(session: Session, project_id: str) -> Project:
    """A project, or `NotFoundError`."""
    project = session.get(Project, project_id)
    if project is None:
        raise NotFoundError(
            f"There is no project “{project_id}”.", "Choose one of the list of projects."
        )
    return project


def default_project(session: Session) -> Project:
    """The project of runs that name none; made when first needed."""
    project = session.scalars(select(Project).where(Project.name == DEFAULT_PROJECT)).one_or_none()
    if project is None:
        project = Project(name=DEFAULT_PROJECT)
        session.add(project)
        session.flush()
    return project


def find_default_project(session: Session) -> str | None:
    """Identifier of the default project, if it was ever needed."""
    return session.scalars(select(Project.id).where(Project.name == DEFAULT_PROJECT)).one_or_none()


def create_project(session: Session, wanted: ProjectCreate) -> Project:
    """A new project; its name must be free."""
    name = wanted.name.strip()
    if session.scalars(select(Project.id).where(Project.name == name)).first() is not None:
        raise ConflictError(f"There is already a project “{name}”.", "Choose another name.")
    project = Project(name=name, description=wanted.description)
    session.add(project)
    session.flush()
    return project


def list_projects(
    session: Session, *, name: str | None, limit: int, offset: int
) -> tuple[list[ProjectOut], int]:
    """A page of projects, newest first, and how many there are."""
    statement = (
        select(Project, func.count(Run.id))
        .outerjoin(Run, (Run.project_id == Project.id) & (Run.kind != RunKind.EXPORT))
        .group_by(Project.id)
        .order_by(Project.created_at.desc(), Project.id)
        .limit(limit)
        .offset(offset)
    )
    count = select(func.count(Project.id))
    if name is not None:
        statement = statement.where(Project.name == name)
        count = count.where(Project.name == name)
    items = [show(project, runs) for project, runs in session.execute(statement)]
    return items, session.execute(count).scalar_one()


def show(project: Project, run_count: int) -> ProjectOut:
    """A project as the API shows it."""
    shown = ProjectOut.model_validate(project)
    return shown.model_copy(update={"run_count": run_count})


def count_runs(session: Session, project_id: str) -> int:
    """Runs in a project."""
    return session.execute(
        select(func.count(Run.id)).where(Run.project_id == project_id, Run.kind != RunKind.EXPORT)
    ).scalar_one()
