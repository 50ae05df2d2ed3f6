"""Routes of lists of runs, and of wishes about many."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints
from pydantic_core import to_json

from app.deps import Actor, DatabaseDep, Limit, Offset, ReadSession, SettingsDep
from app.errors import documented
from app.metrics import repository as metrics
from app.runs import bulk, csv_export, listing, present
from app.runs.fields import FIELDS
from app.runs.filters import conditions
from app.runs.parameters import parameters
from app.runs.schemas import (
    BulkOutcomes,
    BulkWish,
    Parameter,
    RunFields,
    RunGroups,
    RunList,
    RunPick,
    RunPicks,
)
from core.states import RunKind, RunStatus

router = APIRouter(prefix="/runs", tags=["runs"])
SORT = rf"^-?({'|'.join(FIELDS)}|(metric|param):[^\x00]{{1,210}})$"
_PATH = r"^[^\x00]+$"
Path = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PATH)]
Filter = Annotated[str, StringConstraints(min_length=1, max_length=700, pattern=_PATH)]
Id = Annotated[str, StringConstraints(max_length=40, pattern=r"^[^\x00]*$")]
_GROUPS = 1000

Sort = Annotated[
    str,
    Query(
        pattern=SORT,
        description="Field, `metric:` and a metric's path (its newest value; `@min` or `@max` "
        "after it: its extremes), or `param:` and the path of a configuration field. `-` before it "
        "sorts downwards.",
    ),
]
Metrics = Annotated[list[Path] | None, Query(description="Metrics to give.")]


def _wanted(  # noqa: PLR0917 - a query has many parameters
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    experiment_id: Annotated[str | None, Query(description="Only those of this one.")] = None,
    status: Annotated[list[RunStatus] | None, Query(description="Only in these states.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name.")] = None,
    kind: Annotated[RunKind | None, Query(description="Only those that do this.")] = None,
    id: Annotated[  # noqa: A002 - the parameter's name
        list[Id] | None, Query(max_length=500, description="Only these.")
    ] = None,
    id_prefix: Annotated[
        str | None,
        Query(
            max_length=12,
            pattern=r"^[^\x00]*$",
            description="Only those whose identifier begins so.",
        ),
    ] = None,
    filter: Annotated[  # noqa: A002 - the parameter's name
        list[Filter] | None,
        Query(
            max_length=50,
            description="Field, comparison (`=`, `!=`, `~` contains, `!~`, `<`, `<=`, `>`, `>=`) "
            "and value: `model~qwen`, `seed=42`, `tag=paper`, `metric:train/loss@min<0.5`, "
            "`param:training.learning_rate>1e-5`, `created_at>=7d`, `worker=` (without one). All "
            "must hold; several `=` about one field are alternatives.",
        ),
    ] = None,
) -> listing.RunFilter:
    more = conditions(filter or ())
    return listing.RunFilter(
        project_id, experiment_id, status or (), q, kind, id or (), id_prefix, more
    )


Wanted = Annotated[listing.RunFilter, Depends(_wanted)]


@router.get("", response_model=RunList, responses=documented(422))
def list_runs(  # noqa: PLR0917 - a query has many parameters
    session: ReadSession,
    wanted: Wanted,
    sort: Sort = "-created_at",
    param: Annotated[
        list[Path] | None,
        Query(description="Fields of the configuration to give: dotted paths."),
    ] = None,
    metric: Metrics = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Response:
    """Runs with their progress."""
    ids = listing.list_ids(session, wanted, sort=sort, limit=limit, offset=offset)
    items = present.rows(session, ids, params=param or (), metric_names=metric or ())
    return _written(items=items, total=listing.count(session, wanted), limit=limit, offset=offset)


def _written(**answer: Any) -> Response:  # noqa: ANN401 - any JSON
    # As JSON at once: checking thousands of values of our own costs more than finding them.
    return Response(to_json(answer), media_type="application/json")


@router.get("/picks", response_model=RunPicks, responses=documented(422))
def pick_runs(
    session: ReadSession,
    wanted: Wanted,
    sort: Sort = "-created_at",
    limit: Annotated[int, Query(ge=1, le=20_000, description="Items per page.")] = 1000,
    offset: Offset = 0,
) -> RunPicks:
    """Only what one must know of runs to decide about many at once."""
    ids = listing.list_ids(session, wanted, sort=sort, limit=limit, offset=offset)
    items = [RunPick.model_validate(pick) for pick in listing.picks(session, ids)]
    total = listing.count(session, wanted)
    return RunPicks(items=items, total=total, limit=limit, offset=offset)


@router.get("/groups", response_model=RunGroups, responses=documented(422))
def group_runs(
    session: ReadSession,
    wanted: Wanted,
    by: Annotated[
        str,
        Query(
            pattern=rf"^({'|'.join(FIELDS)}|param:[^\x00]{{1,200}})$",
            description="Field, or `param:` and the path of a configuration field. A run with "
            "several tags is in several groups of `tag`.",
        ),
    ],
    metric: Metrics = None,
) -> RunGroups:
    """Runs by the values of a field, with their number, states and metrics."""
    found = listing.groups(session, wanted, by, metric or ())
    return RunGroups.model_validate(
        {"by": by, "items": found[:_GROUPS], "total": len(found)}, from_attributes=True
    )


@router.get("/fields", responses=documented(422))
def list_fields(
    session: ReadSession,
    q: Annotated[
        str, Query(max_length=200, pattern=r"^[^\x00]*$", description="Text in a metric's path.")
    ] = "",
) -> RunFields:
    """Metrics that were ever reported and plain fields of configurations, for columns."""
    return RunFields(
        metrics=metrics.all_names(session, q, 2000),
        parameters=[Parameter(path=path, kind=kind) for path, kind in parameters().items()],
    )


@router.get(
    "/csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}, **documented(422)},
)
def export_runs(
    database: DatabaseDep,
    wanted: Wanted,
    sort: Sort = "-created_at",
    column: Annotated[
        list[Path] | None,
        Query(max_length=200, description="Fields, `metric:…` and `param:…`. Absent: all fields."),
    ] = None,
) -> StreamingResponse:
    """The whole list as CSV, however long it is.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    columns = column or csv_export.COLUMNS
    name = f"runs-{datetime.now(UTC):%Y-%m-%d}.csv"
    return StreamingResponse(
        csv_export.lines(database, wanted, sort=sort, columns=columns),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/bulk", responses=documented(422))
def steer_runs(
    database: DatabaseDep, settings: SettingsDep, actor: Actor, wish: BulkWish
) -> BulkOutcomes:
    """Stop, resume, clone, tag or delete many runs; the answer says of each what became of it."""
    items = bulk.carry_out(database, wish, settings, actor=actor)
    refused = sum(item.problem is not None for item in items)
    return BulkOutcomes(items=items, done=len(items) - refused, refused=refused)
