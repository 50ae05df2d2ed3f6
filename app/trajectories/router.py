"""Routes of recorded rollouts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import StringConstraints
from pydantic_core import to_json

from app.deps import BIGGEST, Limit, Offset, ReadSession, SettingsDep
from app.errors import documented
from app.runs.service import get_run
from app.trajectories import agreement, service
from app.trajectories.agreement_schemas import AgreementReport
from app.trajectories.fields import NUMBERS, SORTED, TrajectoryFilter
from app.trajectories.schemas import (
    Distribution,
    FollowedExample,
    Neighbours,
    TrajectoryDetail,
    TrajectoryList,
    TrajectoryOverview,
)

router = APIRouter(prefix="/runs/{run_id}/trajectories", tags=["trajectories"])
_PLAIN = r"^[^\x00]*$"
Filter = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=_PLAIN)]
TrajectoryId = Annotated[int, Path(ge=0, le=BIGGEST)]
AttemptNumber = Annotated[
    int | None, Query(ge=1, le=2**31 - 1, description="Only those of this attempt.")
]
Pinned = Annotated[bool | None, Query(description="Only pinned, or only others.")]
Sort = Annotated[
    str,
    Query(
        pattern=rf"^-?({'|'.join(SORTED)})$",
        description=f"One of {', '.join(SORTED)}; `-` before it sorts downwards. What is not known "
        "comes last either way.",
    ),
]
Number = Annotated[
    str, Query(pattern=rf"^({'|'.join(NUMBERS)})$", description=f"One of {', '.join(NUMBERS)}.")
]


def _wanted(
    attempt: AttemptNumber = None,
    pinned: Pinned = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    record_id: Annotated[
        str | None, Query(max_length=200, description="Only those of this data record.")
    ] = None,
    up_to: Annotated[
        int | None,
        Query(ge=0, le=BIGGEST, description="None that came after the one with this identifier."),
    ] = None,
    filter: Annotated[  # noqa: A002 - the parameter's name
        list[Filter] | None,
        Query(
            max_length=50,
            description="Field, comparison (`=`, `!=`, `<`, `<=`, `>`, `>=`) and value: "
            "`disagreement>=0.5`, `grade=0`, `grade=` (not graded), `step<=100`, "
            "`truncated=true`, `record_id~q1` (contains). All must hold.",
        ),
    ] = None,
) -> TrajectoryFilter:
    return TrajectoryFilter(
        attempt=attempt, pinned=pinned, text=q, record_id=record_id, more=filter or (), up_to=up_to
    )


Wanted = Annotated[TrajectoryFilter, Depends(_wanted)]


@router.get("", responses=documented(404, 422))
def list_trajectories(
    session: ReadSession,
    run_id: str,
    wanted: Wanted,
    sort: Sort = "-step",
    limit: Limit = 50,
    offset: Offset = 0,
) -> TrajectoryList:
    """Recorded rollouts of a run."""
    get_run(session, run_id)
    page = service.list_trajectories(session, run_id, wanted, sort=sort, limit=limit, offset=offset)
    return TrajectoryList(**page._asdict(), limit=limit, offset=offset)


@router.get("/overview", responses=documented(404, 422))
def get_overview(session: ReadSession, run_id: str) -> TrajectoryOverview:
    """How many rollouts a run has recorded, and what they have of each number."""
    get_run(session, run_id)
    return service.overview(session, run_id)


@router.get("/distribution", responses=documented(404, 422))
def get_distribution(
    session: ReadSession,
    run_id: str,
    wanted: Wanted,
    field: Number,
    bins: Annotated[int, Query(ge=1, le=200, description="Bins of equal width.")] = 40,
) -> Distribution:
    """How one number is spread over the recorded rollouts."""
    get_run(session, run_id)
    return service.distribution(session, run_id, field, wanted, bins=bins)


@router.get("/example", responses=documented(404, 422))
def follow_example(
    session: ReadSession,
    run_id: str,
    record_id: Annotated[str, Query(max_length=200, description="The data record.")],
    pinned: Pinned = None,
    attempt: AttemptNumber = None,
) -> FollowedExample:
    """One record's rollouts, step by step."""
    get_run(session, run_id)
    return service.follow(session, run_id, record_id, pinned=pinned, attempt=attempt)


@router.get("/agreement", responses=documented(404, 422))
def get_agreement(
    session: ReadSession, settings: SettingsDep, run_id: str, attempt: AttemptNumber = None
) -> AgreementReport:
    """Where the auxiliary teachers disagree, and whether that tells right from wrong answers."""
    return agreement.report(session, settings, get_run(session, run_id), attempt)


@router.get(
    "/{trajectory_id}",
    response_model=TrajectoryDetail,
    responses=documented(404, 409, 422, 503),
)
def get_trajectory(
    session: ReadSession, settings: SettingsDep, run_id: str, trajectory_id: TrajectoryId
) -> Response:
    """A recorded rollout with every token's values."""
    found = service.get_trajectory(session, settings, run_id, trajectory_id)
    # As JSON at once: checking thousands of values of our own costs more than finding them.
    return Response(to_json(found, inf_nan_mode="null"), media_type="application/json")


@router.get("/{trajectory_id}/neighbours", responses=documented(404, 422))
def get_neighbours(
    session: ReadSession,
    run_id: str,
    trajectory_id: TrajectoryId,
    wanted: Wanted,
    sort: Sort = "-step",
) -> Neighbours:
    """Which rollouts stand before and after one in a list, and at which place it stands."""
    return service.neighbours(session, run_id, trajectory_id, wanted, sort=sort)
