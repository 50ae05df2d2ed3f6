"""Routes of experiments."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, status

from app.deps import Limit, Offset, ReadSession, WriteSession
from app.errors import documented
from app.experiments import service
from app.experiments.schemas import ExperimentCreate, ExperimentList, ExperimentOut

router = APIRouter(prefix="/experiments", tags=["experiments"])


@router.get("", responses=documented(422))
def list_experiments(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ExperimentList:
    """Experiments, newest first."""
    page, total = service.list_experiments(
        session, project_id=project_id, limit=limit, offset=offset
    )
    items = [ExperimentOut.model_validate(experiment) for experiment in page]
    return ExperimentList(items=items, total=total, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422))
def create_experiment(session: WriteSession, wanted: ExperimentCreate) -> ExperimentOut:
    """Create a definition that runs can execute."""
    return ExperimentOut.model_validate(service.create_experiment(session, wanted))


@router.get("/{experiment_id}", responses=documented(404))
def get_experiment(session: ReadSession, experiment_id: str) -> ExperimentOut:
    """One experiment."""
    return ExperimentOut.model_validate(service.get_experiment(session, experiment_id))
