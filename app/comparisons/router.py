"""Routes of comparisons."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import StringConstraints

from app.comparisons import service
from app.comparisons.schemas import Axis, CurveSet, RunComparison, Spread, Statistic
from app.deps import ReadSession
from app.errors import documented

MOST_RUNS = 20
router = APIRouter(prefix="/comparisons", tags=["comparisons"])
RunId = Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{1,32}$")]
Runs = Annotated[
    list[RunId], Query(alias="run", min_length=1, max_length=MOST_RUNS, description="Their ids.")
]
Baseline = Annotated[
    RunId | None, Query(description="What they are compared against. Absent: the first run.")
]
Seeds = Annotated[
    bool, Query(description="Whether runs that differ only in their seeds stand together.")
]
Place = Annotated[float | None, Query(allow_inf_nan=False)]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$"),
    Query(description="Metric."),
]


@router.get("", responses=documented(422))
def compare_runs(
    session: ReadSession,
    runs: Runs,
    baseline: Baseline = None,
    *,
    seeds: Seeds = True,
    statistic: Annotated[
        Statistic, Query(description="Which of each metric's values stands in the table.")
    ] = "last",
) -> RunComparison:
    """Runs against a baseline: configurations, metrics with differences, and evaluations.

    Runs that do not exist are named in `missing`. For the pairs of answers ask
    `GET /api/evaluations/compare` with what `evaluations` names.
    """
    return service.compare(session, runs, baseline, by_seed=seeds, statistic=statistic)


@router.get("/curves", responses=documented(422))
def compare_curves(
    session: ReadSession,
    runs: Runs,
    name: Name,
    baseline: Baseline = None,
    *,
    seeds: Seeds = True,
    axis: Annotated[
        Axis,
        Query(
            description="`tokens`: completion tokens so far; `epoch`: passes over the "
            "records so far; `time`: seconds since the run's "
            "start; `wall`: seconds since the Unix epoch."
        ),
    ] = "step",
    low: Annotated[Place, Query(description="Left end on that axis. Absent: the start.")] = None,
    high: Annotated[Place, Query(description="Right end. Absent: the end.")] = None,
    spread: Annotated[
        Spread,
        Query(
            description="Band of several seeds: standard deviation, lowest to highest, or 95 % "
            "interval of the mean."
        ),
    ] = "sd",
    max_points: Annotated[int, Query(ge=5, le=10_000, description="Most points each.")] = 1000,
) -> CurveSet:
    """A metric of several runs, over all attempts: steps that a later one did again count once."""
    chosen = service.choose(session, runs, baseline, by_seed=seeds)
    window = service.Window(axis, low, high, max_points)
    return service.get_curves(session, chosen, name, window, spread)
