"""Routes of retention."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.deps import BIGGEST, ReadSession, SettingsDep
from app.errors import documented
from app.evaluations.service import get_examples
from app.retention import service
from app.retention.figures import retention_of
from app.retention.schemas import Direction, Retention, RetentionCurve
from app.runs.service import get_run

router = APIRouter(prefix="/runs/{run_id}", tags=["evaluations"])


@router.get("/retention", responses=documented(404))
def get_retention_curve(session: ReadSession, run_id: str) -> RetentionCurve:
    """Every evaluated state of a run's weights: what it gained, and how far from the base it is.

    Those that the run evaluated itself, and those of evaluations of its adapters and checkpoints.
    """
    return service.curve(session, get_run(session, run_id))


@router.get("/evaluations/{cursor}/retention", responses=documented(404, 409, 422, 503))
def get_retention(
    session: ReadSession,
    settings: SettingsDep,
    run_id: str,
    cursor: Annotated[int, Path(ge=0, le=BIGGEST, description="Of the evaluation.")],
    direction: Annotated[
        Direction,
        Query(
            description="Whose points are given: of the model's answers, the base's (`reverse`), "
            "or the references (`gold`)."
        ),
    ] = "forward",
) -> Retention:
    """What the model has kept of its base on one set, summed up and as a point for each example."""
    return retention_of(get_examples(session, settings, run_id, cursor), direction)
