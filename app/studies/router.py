"""Routes of studies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from app.deps import (
    WRITE_PATIENCE_SECONDS,
    Actor,
    DatabaseDep,
    Limit,
    Offset,
    ReadSession,
    SettingsDep,
    WriteSession,
)
from app.errors import documented
from app.studies import service
from app.studies.schemas import StudyCreated, StudyDetail, StudyList, StudyValidation
from core.study import StudyPlan

router = APIRouter(prefix="/studies", tags=["studies"])


@router.get("", responses=documented(422))
def list_studies(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> StudyList:
    """Studies with the states of their runs."""
    return service.list_studies(session, project_id=project_id, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(422))
def create_study(
    database: DatabaseDep, settings: SettingsDep, actor: Actor, plan: StudyPlan
) -> StudyCreated:
    """Create a study and queue all of its runs, or none.

    Every cell is checked first as a run would be; mistakes name factor, level and field.
    """
    prepared = service.prepare(plan, settings, database)
    with database.write(WRITE_PATIENCE_SECONDS) as session:
        return service.create_study(session, prepared, settings, actor=actor)


@router.post("/validate", responses=documented(422))
def validate_study(
    database: DatabaseDep, settings: SettingsDep, plan: StudyPlan
) -> StudyValidation:
    """Say what creating this study would say, and how many runs it has, without creating it."""
    return service.validate(plan, settings, database)


@router.get("/{study_id}", responses=documented(404))
def get_study(session: ReadSession, study_id: str) -> StudyDetail:
    """A study: cells with their states, means over seeds, effects, interactions and cost."""
    return service.detail(session, service.get_study(session, study_id))


@router.post("/{study_id}/cancel", responses=documented(404, 409))
def cancel_study(session: WriteSession, actor: Actor, study_id: str) -> StudyDetail:
    """Stop what is not finished: waiting runs are cancelled, started ones asked to stop."""
    return service.cancel_study(session, study_id, actor=actor)
