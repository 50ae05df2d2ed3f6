"""What people do to runs that exist: stop, cancel, resume, reprioritise, delete."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import ConflictError
from app.exports.repository import of_run
from app.models import Run, RunEvent
from app.runs import lifecycle, placement
from app.runs.schemas import RunChange
from app.runs.service import get_run
from core.states import LEASED, RESUMABLE, TERMINAL, Cause, RunKind, RunStatus, StopMode

_URGENCY = {StopMode.SAVE: 0, StopMode.DISCARD: 1, StopMode.FORCE: 2}


def stop_run(
    session: Session, run_id: str, mode: StopMode, *, version: int | None, actor: str
) -> Run:
    """Ask a started run to end. Asking again changes nothing, unless it is more urgent."""
    run = _steered(session, run_id, version)
    if run.status is RunStatus.STOPPING:
        if run.stop_mode is None or _URGENCY[mode] > _URGENCY[StopMode(run.stop_mode)]:
            lifecycle.request_stop(session, run, mode, actor=actor)
        return run
    if run.status is RunStatus.QUEUED and not run.attempt_count:
        raise ConflictError("The run has not started yet.", "Cancel it instead.")
    _refuse_if_over(run)
    lifecycle.request_stop(session, run, mode, actor=actor)
    return run


def cancel_run(session: Session, run_id: str, *, version: int | None, actor: str) -> Run:
    """Take a run that has not started out of the queue."""
    run = _steered(session, run_id, version)
    if run.status is not RunStatus.QUEUED or run.attempt_count:
        _refuse_if_over(run)
        raise ConflictError("The run has already started.", "Stop it instead.")
    lifecycle.change_status(session, run, RunStatus.CANCELLED, Cause.CANCELLED, actor=actor)
    return run


def resume_run(session: Session, run_id: str, *, version: int | None, actor: str) -> Run:
    """Queue a run that was stopped, failed or crashed again.

    It goes on from its newest whole checkpoint, or starts anew where there is none. It gets as many
    starts and as much time as a new run.
    """
    run = _steered(session, run_id, version)
    if run.status not in RESUMABLE:
        state = "has succeeded" if run.status is RunStatus.SUCCEEDED else f"is {run.status}"
        raise ConflictError(
            f"The run {state}.", "Only runs that were stopped, failed or crashed can be resumed."
        )
    lifecycle.take_up(session, run, actor=actor)
    return run


def change_run(session: Session, run_id: str, wanted: RunChange, *, actor: str) -> Run:
    """Change a run's name or schedule; what is absent stays."""
    run = _steered(session, run_id, wanted.version)
    given = wanted.model_dump(exclude_unset=True, exclude={"version"})
    if set(given) - {"name"}:
        _refuse_if_over(run)
    changes: dict[str, Any] = {}
    for name, value in given.items():
        before = getattr(run, name)
        if before != value:
            setattr(run, name, value)
            changes[name] = [before, value]
    if changes:
        session.flush()
        lifecycle.record_steering(session, run, actor, changes)
        if run.status is RunStatus.QUEUED:
            lifecycle.enqueue(session, run)
    return run


def move_run(
    session: Session, run_id: str, before_id: str | None, *, version: int | None, actor: str
) -> Run:
    """Put a waiting run before another one, or behind all."""
    run = _steered(session, run_id, version)
    before = get_run(session, before_id) if before_id else None
    placement.move(session, run, before, actor=actor)
    return run


def delete_run(session: Session, run_id: str, *, version: int | None, actor: str) -> None:
    """Hide a run and have its files and rows removed.

    Raises:
        ConflictError: it is under way, or something that is not over reads its files.
    """
    run = _steered(session, run_id, version)
    if run.status in LEASED:
        raise ConflictError(f"The run is {run.status}.", "Stop it first, then delete it.")
    readers = _readers(session, run)
    if readers:
        raise ConflictError(
            f"Its adapter is needed by {', '.join(readers)}.",
            "Wait for that to end, or cancel it.",
        )
    lifecycle.mark_deleted(session, run, actor=actor)
    for export in of_run(session, run.id):
        lifecycle.mark_deleted(session, lifecycle.lock(session, export.id), actor=actor)


def _readers(session: Session, run: Run) -> list[str]:
    """Names of evaluations and exports under way that read an adapter of this run."""
    mark = f"/{run.id}/"
    open_jobs = session.scalars(
        select(Run).where(
            Run.kind.in_((RunKind.EVALUATION, RunKind.EXPORT)),
            Run.status.not_in(TERMINAL),
            Run.id != run.id,
            Run.deleting.is_(False),
        )
    )
    return [f"“{job.name}”" for job in open_jobs if mark in str(job.config.get("adapter") or "")]


def transitions(session: Session, run_id: str) -> list[RunEvent]:
    """Every change of a run's state and every change by a person, in order."""
    get_run(session, run_id)
    return list(
        session.scalars(
            select(RunEvent)
            .where(RunEvent.run_id == run_id, RunEvent.kind.in_(("status", "steering")))
            .order_by(RunEvent.cursor)
        )
    )


def _steered(session: Session, run_id: str, version: int | None) -> Run:
    """The run, locked, provided that nobody changed it since the caller looked."""
    run = lifecycle.lock(session, get_run(session, run_id).id)
    if version is not None and version != run.version:
        raise ConflictError(
            f"The run was changed meanwhile: it is {run.status} now.",
            "Look at it again, then decide.",
        )
    return run


def _refuse_if_over(run: Run) -> None:
    if run.status in TERMINAL:
        remedy = "Nothing is left to do; it can be resumed or cloned."
        if run.status not in RESUMABLE:
            remedy = "Nothing is left to do; it can be cloned."
        raise ConflictError(f"The run is already {run.status}.", remedy)
