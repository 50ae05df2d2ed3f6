"""Routes of runs."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, status

from app.deps import BIGGEST, Actor, ReadSession, SettingsDep, WriteSession
from app.errors import documented
from app.metrics import repository as metrics
from app.once import OnceDep
from app.runs import present, repository, service, steering, stream, tagging
from app.runs.schemas import (
    LogPage,
    MetricSeries,
    RunChange,
    RunCreate,
    RunCreated,
    RunDetail,
    RunMove,
    Steer,
    StopWish,
    Tags,
    TransitionList,
    Validation,
)

router = APIRouter(prefix="/runs", tags=["runs"])
Step = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


@router.post("", status_code=status.HTTP_201_CREATED, responses=documented(404, 409, 422))
def create_run(
    session: WriteSession, settings: SettingsDep, actor: Actor, once: OnceDep, wanted: RunCreate
) -> RunCreated:
    """Create a run and queue it.

    Storage, model, data file and prompt lengths are checked first; if anything is wrong, nothing is
    stored and the answer names every mistake with its field and its remedy.
    """
    if earlier := once.earlier(session, "run", wanted):
        shown = present.detail(session, service.get_run(session, earlier), settings)
        return RunCreated(
            **dict(shown), warnings=service.validate(session, wanted, settings).warnings
        )
    run, findings = service.create_run(session, wanted, settings, actor=actor)
    once.remember(session, run.id)
    shown = present.detail(session, run, settings)
    return RunCreated(**dict(shown), warnings=findings.warnings)


@router.post("/validate", responses=documented(404, 422))
def validate_run(session: ReadSession, settings: SettingsDep, wanted: RunCreate) -> Validation:
    """Say what creating this run would say, without creating it."""
    return service.validate(session, wanted, settings)


@router.get("/{run_id}", responses=documented(404))
def get_run(session: ReadSession, settings: SettingsDep, run_id: str) -> RunDetail:
    """One run with its configuration, attempts and artifacts."""
    return present.detail(session, service.get_run(session, run_id), settings)


@router.patch("/{run_id}", responses=documented(404, 409, 422))
def change_run(
    session: WriteSession, settings: SettingsDep, actor: Actor, run_id: str, wanted: RunChange
) -> RunDetail:
    """Change a run's name, or while it is not over, its priority, place or limits."""
    return present.detail(
        session, steering.change_run(session, run_id, wanted, actor=actor), settings
    )


@router.delete("/{run_id}", status_code=status.HTTP_202_ACCEPTED, responses=documented(404, 409))
def delete_run(
    session: WriteSession,
    actor: Actor,
    run_id: str,
    version: Annotated[int | None, Query(description="Of the run as it was seen.")] = None,
) -> None:
    """Remove a run that is over or waits, with its files. It disappears at once."""
    steering.delete_run(session, run_id, version=version, actor=actor)


@router.put("/{run_id}/tags", responses=documented(404, 409, 422))
def set_tags(
    session: WriteSession, settings: SettingsDep, actor: Actor, run_id: str, wanted: Tags
) -> RunDetail:
    """Give a run these tags and no others."""
    return present.detail(
        session, tagging.set_tags(session, run_id, wanted.tags, actor=actor), settings
    )


@router.post("/{run_id}/stop", responses=documented(404, 409, 422))
def stop_run(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    run_id: str,
    wish: StopWish | None = None,
) -> RunDetail:
    """Ask a started run to end; without a body it finishes its step, saves, and is `stopped`.

    The wish waits until the run's worker is heard of, even if that is cut off now.
    """
    wish = wish or StopWish()
    run = steering.stop_run(session, run_id, wish.mode, version=wish.version, actor=actor)
    return present.detail(session, run, settings)


@router.post("/{run_id}/resume", responses=documented(404, 409, 422))
def resume_run(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    run_id: str,
    wish: Steer | None = None,
) -> RunDetail:
    """Take up a run that was stopped, failed or crashed, from its newest whole checkpoint."""
    version = (wish or Steer()).version
    run = steering.resume_run(session, run_id, version=version, actor=actor)
    return present.detail(session, run, settings)


@router.post("/{run_id}/cancel", responses=documented(404, 409, 422))
def cancel_run(
    session: WriteSession,
    settings: SettingsDep,
    actor: Actor,
    run_id: str,
    wish: Steer | None = None,
) -> RunDetail:
    """Take a run that has not started out of the queue."""
    version = (wish or Steer()).version
    run = steering.cancel_run(session, run_id, version=version, actor=actor)
    return present.detail(session, run, settings)


@router.post("/{run_id}/move", responses=documented(404, 409, 422))
def move_run(
    session: WriteSession, settings: SettingsDep, actor: Actor, run_id: str, wanted: RunMove
) -> RunDetail:
    """Put a waiting run before another one, or behind all of its queue."""
    run = steering.move_run(session, run_id, wanted.before, version=wanted.version, actor=actor)
    return present.detail(session, run, settings)


@router.get("/{run_id}/transitions", responses=documented(404))
def list_transitions(session: ReadSession, run_id: str) -> TransitionList:
    """Every change of the run's state and everything that people changed, with cause and actor."""
    events = steering.transitions(session, run_id)
    return TransitionList(items=[present.transition(event) for event in events])


@router.get("/{run_id}/metrics", responses=documented(404, 422))
def get_metrics(
    session: ReadSession,
    run_id: str,
    name: Annotated[list[str] | None, Query(description="Metrics. Absent: all.")] = None,
    attempt: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Attempt. Absent: latest.")
    ] = None,
    max_points: Annotated[int, Query(ge=5, le=10_000, description="Most points each.")] = 2000,
    from_step: Annotated[Step, Query(description="First step. Absent: from the start.")] = None,
    to_step: Annotated[Step, Query(description="Last step. Absent: to the end.")] = None,
    shape: Annotated[
        Literal["points", "bands"],
        Query(description="What to give where there are too many: extremes, or means with them."),
    ] = "points",
) -> MetricSeries:
    """Series of an attempt's metrics. Follow the events after `cursor` to keep them up to date.

    Where a metric has more points than `max_points`, of equal buckets the lowest, the highest and
    a point that is not finite are given. A smaller range of steps therefore shows more detail.
    As `bands`, a bucket is one point at its last step: the mean of its values, with `low`, `high`
    and how many there are.
    """
    run = service.get_run(session, run_id)
    chosen = service.get_attempt(session, run_id, attempt)
    if chosen is None:
        return MetricSeries(attempt=None, cursor=run.event_cursor, items=[])
    found = metrics.series(session, chosen.id, name or (), from_step, to_step)
    thinned = present.banded if shape == "bands" else present.series
    series = [thinned(metric, points, max_points) for metric, points in found]
    return MetricSeries(attempt=chosen.number, cursor=run.event_cursor, items=series)


@router.get("/{run_id}/logs", responses=documented(404, 422))
def get_logs(
    session: ReadSession,
    run_id: str,
    before: Annotated[
        int | None, Query(ge=0, le=BIGGEST, description="Only lines before this cursor.")
    ] = None,
    q: Annotated[str | None, Query(max_length=200, description="Text to find.")] = None,
    limit: Annotated[int, Query(ge=1, le=5000, description="Lines at most.")] = 500,
) -> LogPage:
    """The last log lines, in order."""
    run = service.get_run(session, run_id)
    events, total = repository.log_events(session, run_id, before=before, text=q, limit=limit)
    lines = [present.log_line(event) for event in events]
    return LogPage(items=lines, total=total, limit=limit, cursor=run.event_cursor)


@router.get(
    "/{run_id}/events",
    response_class=stream.EventStream,
    responses={**stream.DOCUMENTED, **documented(404, 422)},
)
async def follow_run(cursor: stream.CursorDep, followed: stream.FollowedDep) -> stream.EventStream:
    """Server-Sent Events: `id` is the cursor, `event` the kind, `data` a `RunEventOut`.

    After the last event of a run that is over comes one `end` event, and the stream closes. While
    nothing happens, a comment comes every 15 seconds.
    """
    return stream.respond(followed, cursor)
