"""Routes of runs."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, status
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import StringConstraints

from app.deps import DatabaseDep, Limit, Offset, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.metrics import repository as metrics
from app.runs import present, repository, service, stream
from app.runs.schemas import (
    LogLine,
    LogPage,
    MetricSeries,
    RunCreate,
    RunCreated,
    RunDetail,
    RunList,
    Validation,
)
from core.states import RunKind, RunStatus

router = APIRouter(prefix="/runs", tags=["runs"])
Step = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
SORT = r"^-?(created_at|name|status|last_loss|metric:[^\x00]{1,200})$"
Path = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]


@router.get("", responses=documented(422))
def list_runs(
    session: ReadSession,
    project_id: Annotated[str | None, Query(description="Only those of this project.")] = None,
    experiment_id: Annotated[str | None, Query(description="Only those of this one.")] = None,
    status: Annotated[list[RunStatus] | None, Query(description="Only in these states.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text in the name.")] = None,
    kind: Annotated[RunKind | None, Query(description="Only those that do this.")] = None,
    sort: Annotated[
        str,
        Query(
            pattern=SORT,
            description="Column, or `metric:` and a metric's path; `-` before it sorts downwards.",
        ),
    ] = "-created_at",
    param: Annotated[
        list[Path] | None,
        Query(description="Fields of the configuration to give: dotted paths."),
    ] = None,
    metric: Annotated[list[Path] | None, Query(description="Metrics to give.")] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> RunList:
    """Runs with their progress."""
    wanted = repository.RunFilter(project_id, experiment_id, status or (), q, kind)
    runs, total = repository.list_runs(session, wanted, sort=sort, limit=limit, offset=offset)
    items = present.summaries(session, runs, params=param or (), metric_names=metric or ())
    return RunList(items=items, total=total, limit=limit, offset=offset)


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422))
def create_run(session: WriteSession, settings: SettingsDep, wanted: RunCreate) -> RunCreated:
    """Create a run and queue it.

    Storage, model, data file and prompt lengths are checked first; if anything is wrong, nothing is
    stored and the answer names every mistake with its field and its remedy.
    """
    run, findings = service.create_run(session, wanted, settings)
    shown = present.detail(session, run)
    return RunCreated(**dict(shown), warnings=findings.warnings)


@router.post("/validate", responses=documented(404, 422))
def validate_run(session: ReadSession, settings: SettingsDep, wanted: RunCreate) -> Validation:
    """Say what creating this run would say, without creating it."""
    return service.validate(session, wanted, settings)


@router.get("/{run_id}", responses=documented(404))
def get_run(session: ReadSession, run_id: str) -> RunDetail:
    """One run with its configuration, attempts and artifacts."""
    return present.detail(session, service.get_run(session, run_id))


@router.post("/{run_id}/stop", responses=documented(404, 409))
def stop_run(session: WriteSession, run_id: str) -> RunDetail:
    """Ask a started run to stop: it finishes its step, saves its adapter and becomes `stopped`."""
    return present.detail(session, service.stop_run(session, run_id))


@router.post("/{run_id}/resume", responses=documented(404, 409))
def resume_run(session: WriteSession, settings: SettingsDep, run_id: str) -> RunDetail:
    """Take up a run that was stopped, failed or crashed, from its newest whole checkpoint."""
    return present.detail(session, service.resume_run(session, run_id, settings))


@router.post("/{run_id}/cancel", responses=documented(404, 409))
def cancel_run(session: WriteSession, run_id: str) -> RunDetail:
    """Take a run that has not started out of the queue."""
    return present.detail(session, service.cancel_run(session, run_id))


@router.get("/{run_id}/metrics", responses=documented(404, 422))
def get_metrics(
    session: ReadSession,
    run_id: str,
    name: Annotated[list[str] | None, Query(description="Metrics. Absent: all.")] = None,
    attempt: Annotated[int | None, Query(ge=1, description="Attempt. Absent: latest.")] = None,
    max_points: Annotated[int, Query(ge=5, le=10_000, description="Most points each.")] = 2000,
    from_step: Annotated[Step, Query(description="First step. Absent: from the start.")] = None,
    to_step: Annotated[Step, Query(description="Last step. Absent: to the end.")] = None,
) -> MetricSeries:
    """Series of an attempt's metrics. Follow the events after `cursor` to keep them up to date.

    Where a metric has more points than `max_points`, of equal buckets the lowest, the highest and
    a point that is not finite are given. A smaller range of steps therefore shows more detail.
    """
    run = service.get_run(session, run_id)
    chosen = service.get_attempt(session, run_id, attempt)
    if chosen is None:
        return MetricSeries(attempt=None, cursor=run.event_cursor, items=[])
    found = metrics.series(session, chosen.id, name or (), from_step, to_step)
    series = [present.series(metric, points, max_points) for metric, points in found]
    return MetricSeries(attempt=chosen.number, cursor=run.event_cursor, items=series)


@router.get("/{run_id}/logs", responses=documented(404, 422))
def get_logs(
    session: ReadSession,
    run_id: str,
    before: Annotated[int | None, Query(ge=0, description="Only lines before this cursor.")] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="Lines at most.")] = 500,
) -> LogPage:
    """The last log lines, in order."""
    run = service.get_run(session, run_id)
    events, total = repository.log_events(session, run_id, before=before, text=q, limit=limit)
    lines = [
        LogLine(cursor=event.cursor, attempt=event.attempt_number, time=event.time, **event.payload)
        for event in events
    ]
    return LogPage(items=lines, total=total, limit=limit, cursor=run.event_cursor)


def _existing(database: DatabaseDep, run_id: str) -> str:
    with database.read() as session:
        return service.get_run(session, run_id).id


@router.get("/{run_id}/events", response_class=EventSourceResponse, responses=documented(404, 422))
async def follow_run(
    database: DatabaseDep,
    run_id: Annotated[str, Depends(_existing)],
    after: Annotated[int, Query(ge=0, description="Replay what came after this cursor.")] = 0,
    last_event_id: Annotated[
        int | None, Header(ge=0, description="Sent by browsers that reconnect; wins over `after`.")
    ] = None,
) -> AsyncIterable[ServerSentEvent]:
    """Server-Sent Events: `id` is the cursor, `event` the kind, `data` a `RunEventOut`.

    After the last event of a run that is over comes one `end` event, and the stream closes.
    """
    cursor = after if last_event_id is None else last_event_id
    async for event in stream.follow(database, run_id, cursor):
        yield event
