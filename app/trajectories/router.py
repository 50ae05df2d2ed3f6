"""Routes of recorded rollouts."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query

from app.deps import BIGGEST, Limit, Offset, ReadSession, SettingsDep
from app.errors import documented
from app.runs.service import get_run
from app.trajectories import service
from app.trajectories.schemas import TrajectoryDetail, TrajectoryList

router = APIRouter(prefix="/runs/{run_id}/trajectories", tags=["trajectories"])
Sort = Literal["step", "-step", "divergence", "-divergence", "tokens", "-tokens"]


@router.get("", responses=documented(404, 422))
def list_trajectories(
    session: ReadSession,
    run_id: str,
    attempt: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Only those of this attempt.")
    ] = None,
    pinned: Annotated[bool | None, Query(description="Only pinned, or only others.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    sort: Annotated[Sort, Query(description="`-` sorts downwards.")] = "-step",
    limit: Limit = 50,
    offset: Offset = 0,
) -> TrajectoryList:
    """Recorded rollouts of a run."""
    get_run(session, run_id)
    items, total = service.list_trajectories(
        session,
        run_id,
        service.TrajectoryFilter(attempt=attempt, pinned=pinned, text=q),
        sort=sort,
        limit=limit,
        offset=offset,
    )
    return TrajectoryList(items=items, total=total, limit=limit, offset=offset)


@router.get("/{trajectory_id}", responses=documented(404, 409, 422, 503))
def get_trajectory(
    session: ReadSession,
    settings: SettingsDep,
    run_id: str,
    trajectory_id: Annotated[int, Path(ge=0, le=BIGGEST)],
) -> TrajectoryDetail:
    """A recorded rollout with every token's values."""
    return service.get_trajectory(session, settings, run_id, trajectory_id)
