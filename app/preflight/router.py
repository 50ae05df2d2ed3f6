"""Route of the preflight."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from app.deps import DatabaseDep, SettingsDep
from app.errors import documented
from app.preflight.report import preflight
from app.preflight.schemas import Preflight
from app.runs.schemas import RunCreate

router = APIRouter(prefix="/runs", tags=["runs"])


@router.post("/preflight", responses=documented(404, 422))
def preflight_run(
    database: DatabaseDep,
    settings: SettingsDep,
    wanted: RunCreate,
    record: Annotated[
        int, Query(ge=0, le=10_000_000, description="Training record to render, from 0.")
    ] = 0,
) -> Preflight:
    """Look at everything that the run would meet, without creating it.

    The data's columns, prompts that do not fit, one record behind every teacher view, what is made
    before training and whether it is there, and each worker's memory, disk and measured pace.
    """
    return preflight(database, settings, wanted, record)
