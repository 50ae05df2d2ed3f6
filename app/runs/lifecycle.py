"""The one place that changes a run's state.

Every change is a compare-and-set on the state (and, for workers, on the lease), so that of two who
want to move a run only one succeeds. Each change is an event of the run, written in the same
transaction and never changed: what it was, what it became, why, and by whom.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from app import notify
from app.db import after_commit
from app.models import Attempt, Run, RunEvent
from app.models.base import database_epoch
from app.queue import send_work
from app.settings import Settings
from core.errors import Problem
from core.schedule import Queue, Schedule
from core.states import (
    LEASED,
    TERMINAL,
    Cause,
    RunKind,
    RunStatus,
    StopMode,
    check_transition,
)

REAPER = "reaper"
"""The actor that acts for workers that fell silent."""


class LeaseLostError(Exception):
    """The run is no longer this worker's."""


class Claim(NamedTuple):
    """What a worker gets when it wins a run."""

    run_id: str
    attempt_id: int
    attempt_number: int
    lease_token: str
    kind: RunKind
    config: dict[str, Any]
    used_seconds: float
    """By attempts before this one."""


class Orders(NamedTuple):
    """What a worker learns when it renews its lease."""

    status: RunStatus
    stop_mode: StopMode | None
    kill_in: float | None
    """Seconds until the trainer is to be killed; None before the worker has said when."""
    time_limit: float | None
    """Seconds that all attempts together may take."""


def now(session: Session) -> datetime:
    """The database's time: hosts whose clocks differ agree on it."""
    return datetime.fromtimestamp(session.execute(select(database_epoch())).scalar_one(), UTC)


def lock(session: Session, run_id: str) -> Run:
    """The run as it is now; nobody else moves it before this transaction ends."""
    statement = (
        select(Run)
        .where(Run.id == run_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.execute(statement).scalar_one()


def next_cursors(session: Session, run_id: str, count: int) -> int:
    """Reserve `count` event numbers; returns the first.

    The update locks the run's row until the commit, so that numbers become visible in order and a
    reader who has seen one has seen all before it.
    """
    statement = (
        update(Run)
        .where(Run.id == run_id)
        .values(event_cursor=Run.event_cursor + count)
        .returning(Run.event_cursor)
        .execution_options(synchronize_session=False)
    )
    return session.execute(statement).scalar_one() - count + 1


def submit(
    session: Session, run: Run, schedule: Schedule, settings: Settings, *, actor: str
) -> None:
    """Store a new run with its schedule, queue it, and have a worker called after the commit."""
    run.status = RunStatus.QUEUED
    run.created_at = now(session)
    run.priority = schedule.priority
    run.labels = list(schedule.labels)
    run.gpu_memory_bytes = schedule.gpu_memory_bytes
    run.time_limit_seconds = schedule.time_limit_seconds
    run.max_attempts = schedule.max_attempts or settings.max_attempts
    if schedule.queue is not None or run.queue is None:
        run.queue = (schedule.queue or Queue.GPU).value
    run.queue_place = _last_place(session, run.queue)
    session.add(run)
    session.flush()
    _record(session, run, None, Cause.SUBMITTED, actor)
    enqueue(session, run)


def _last_place(session: Session, queue: str) -> float:
    """The place behind all that wait in a queue."""
    last = select(func.max(Run.queue_place)).where(
        Run.status == RunStatus.QUEUED, Run.queue == queue
    )
    return (session.execute(last).scalar_one() or 0.0) + 1.0


def change_status(
    session: Session,
    run: Run,
    wanted: RunStatus,
    cause: Cause,
    *,
    actor: str = "",
    problem: Problem | None = None,
    **values: Any,  # noqa: ANN401 - columns of the run that change with its state
) -> bool:
    """Move a run; returns whether it still was in the state that `run` shows.

    It always is when the caller holds `lock`.

    Raises:
        IllegalTransitionError: the transition table does not have this move.
    """
    current = run.status
    check_transition(current, wanted)
    if wanted in TERMINAL or wanted is RunStatus.QUEUED:
        values |= {"lease_token": None, "lease_expires_at": None, "phase": None, "phase_detail": ""}
        values |= {"phase_current": None, "phase_total": None, "stop_mode": None, "kill_at": None}
    if wanted in TERMINAL:
        values |= {"finished_at": now(session), "not_before": None}
    # A problem is of one state: what an earlier attempt met is told in the run's history.
    values["problem"] = problem.model_dump(mode="json") if problem else None
    statement = (
        update(Run)
        # Not the state alone: a run may have started, been lost and queued again since we looked.
        .where(Run.id == run.id, Run.status == current, Run.attempt_count == run.attempt_count)
        .values(status=wanted, version=Run.version + 1, **values)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(statement)).rowcount != 1:
        return False
    session.refresh(run)
    _record(session, run, current, cause, actor)
    return True


def _record(
    session: Session, run: Run, previous: RunStatus | None, cause: Cause, actor: str
) -> None:
    _append(
        session,
        run,
        "status",
        {
            "status": run.status.value,
            "previous": previous.value if previous else None,
            "cause": cause.value,
            "actor": actor,
            "attempt": run.attempt_count,
            "problem": run.problem,
            "retry_at": run.not_before,
        },
    )


def record_steering(session: Session, run: Run, actor: str, changes: dict[str, Any]) -> None:
    """Write into the run's events what a person changed about it; it counts as a new version."""
    session.execute(
        update(Run)
        .where(Run.id == run.id)
        .values(version=Run.version + 1)
        .execution_options(synchronize_session=False)
    )
    _append(session, run, "steering", {"actor": actor, "changes": changes})
    session.refresh(run)


def _append(session: Session, run: Run, kind: str, payload: dict[str, Any]) -> None:
    session.add(
        RunEvent(
            run_id=run.id,
            cursor=next_cursors(session, run.id, 1),
            attempt_number=run.attempt_count or None,
            kind=kind,
            time=database_epoch(),
            payload=payload,
        )
    )
    session.flush()
    run_id = run.id
    after_commit(session, lambda: notify.publish(run_id))


def enqueue(session: Session, run: Run) -> None:
    """Have a worker called after the commit, and remember when."""
    queue = run.queue
    session.execute(
        update(Run)
        .where(Run.id == run.id)
        .values(enqueued_at=database_epoch())
        .execution_options(synchronize_session=False)
    )
    after_commit(session, lambda: send_work(queue))


def claim(
    session: Session, run_id: str, *, worker_id: str, hostname: str, directory: str, lease: float
) -> Claim | None:
    """Win a queued run for a worker, or None if it is someone else's or over.

    `directory` may hold `{run}` and `{number}`, which become the run and the attempt's number.
    """
    run = session.get(Run, run_id, populate_existing=True)
    if run is None or run.deleting or run.status is not RunStatus.QUEUED:
        return None
    token = secrets.token_hex(16)
    number = run.attempt_count + 1
    begun = now(session)
    if not change_status(
        session,
        run,
        RunStatus.STARTING,
        Cause.CLAIMED,
        actor=f"worker {worker_id}",
        lease_token=token,
        worker_id=worker_id,
        lease_expires_at=database_epoch() + lease,
        attempt_count=number,
        started_at=run.started_at or begun,
        not_before=None,
        step=0,
        total_steps=None,
        step_seconds=None,
        last_loss=None,
    ):
        return None
    attempt = Attempt(
        run_id=run_id,
        number=number,
        worker_id=worker_id,
        hostname=hostname,
        directory=directory.format(run=run_id, number=number),
        started_at=begun,
    )
    session.add(attempt)
    session.flush()
    return Claim(run_id, attempt.id, number, token, run.kind, run.config, run.used_seconds)


def renew_lease(session: Session, run_id: str, lease_token: str, lease: float) -> Orders:
    """Keep a run; returns what is wished of it.

    Raises:
        LeaseLostError: the reaper or someone else took the run.
    """
    statement = (
        update(Run)
        .where(Run.id == run_id, Run.lease_token == lease_token, Run.status.in_(LEASED))
        .values(lease_expires_at=database_epoch() + lease)
        .returning(
            Run.status, Run.stop_mode, Run.kill_at - database_epoch(), Run.time_limit_seconds
        )
        .execution_options(synchronize_session=False)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        raise LeaseLostError(f"the lease on run {run_id} is lost")
    status, mode, kill_in, limit = row
    return Orders(status, StopMode(mode) if mode else None, kill_in, limit)


def confirm_stop(session: Session, run_id: str, lease_token: str, seconds: float) -> None:
    """The worker has passed the wish on; in so many seconds it kills the trainer."""
    session.execute(
        update(Run)
        .where(Run.id == run_id, Run.lease_token == lease_token)
        .values(kill_at=database_epoch() + seconds)
        .execution_options(synchronize_session=False)
    )
    after_commit(session, lambda: notify.publish(run_id))


def expired_runs(session: Session) -> list[tuple[str, str]]:
    """Runs whose worker is silent, as (run, lease token)."""
    rows = session.execute(
        select(Run.id, Run.lease_token)
        .where(Run.status.in_(LEASED), Run.lease_expires_at < database_epoch())
        .order_by(Run.lease_expires_at)
    )
    return [(run_id, token) for run_id, token in rows if token is not None]


def take_over(
    session: Session, run_id: str, lease_token: str, lease: float, *, even_if_valid: bool = False
) -> str | None:
    """Take an expired lease, so that only one reaper deals with a run; returns the new token.

    `even_if_valid`: also one that is not, whose holder is known to be dead.
    """
    token = secrets.token_hex(16)
    expired = [] if even_if_valid else [Run.lease_expires_at < database_epoch()]
    statement = (
        update(Run)
        .where(
            Run.id == run_id,
            Run.lease_token == lease_token,
            Run.status.in_(LEASED),
            *expired,
        )
        .values(lease_token=token, lease_expires_at=database_epoch() + lease)
        .execution_options(synchronize_session=False)
    )
    won = cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
    return token if won else None


def request_stop(
    session: Session, run: Run, mode: StopMode, *, actor: str, cause: Cause = Cause.STOP_REQUESTED
) -> None:
    """Wish that a run ends; its worker sees it at its next heartbeat, however late that is.

    A run that only waits for its next attempt is stopped at once. A wish can be made more urgent:
    the countdown then begins anew.
    """
    if run.status is RunStatus.QUEUED:
        change_status(session, run, RunStatus.STOPPED, cause, actor=actor)
    elif run.status is RunStatus.STOPPING:
        before = run.stop_mode
        run.stop_mode, run.kill_at = mode.value, None
        session.flush()
        record_steering(session, run, actor, {"stop": [before, mode.value]})
    else:
        change_status(
            session,
            run,
            RunStatus.STOPPING,
            cause,
            actor=actor,
            stop_mode=mode.value,
            kill_at=None,
        )


def finish(
    session: Session,
    run: Run,
    status: RunStatus,
    problem: Problem | None,
    cause: Cause = Cause.ENDED,
    *,
    actor: str = "",
) -> None:
    """Move a run to its end; one that succeeded before it was seen running runs first."""
    if status is RunStatus.SUCCEEDED and run.status is RunStatus.STARTING:
        change_status(session, run, RunStatus.RUNNING, Cause.WORK_BEGAN, actor=actor)
    change_status(session, run, status, cause, actor=actor, problem=problem)


def mark_deleted(session: Session, run: Run, *, actor: str) -> None:
    """Hide a run that no worker has; the reaper removes its files and rows."""
    if run.status is RunStatus.QUEUED:
        wanted = RunStatus.STOPPED if run.attempt_count else RunStatus.CANCELLED
        change_status(session, run, wanted, Cause.DELETED, actor=actor)
    run.deleting = True
    session.flush()
    record_steering(session, run, actor, {"deleting": [False, True]})


def take_up(session: Session, run: Run, *, actor: str) -> None:
    """Queue a run that has ended again, with all its starts and its time before it."""
    change_status(
        session,
        run,
        RunStatus.QUEUED,
        Cause.RESUMED,
        actor=actor,
        worker_id=None,
        finished_at=None,
        interruptions=run.attempt_count,
        used_seconds=0.0,
        queue_place=_last_place(session, run.queue),
    )
    enqueue(session, run)


def give_back(
    session: Session,
    run: Run,
    problem: Problem,
    cause: Cause,
    settings: Settings,
    *,
    actor: str = REAPER,
) -> None:
    """End an attempt that was cut off: queue the run again after a pause, or call it crashed.

    The pause doubles with every attempt that went wrong. A run that was being stopped is not
    started again. A worker that leaves in order costs neither an attempt nor a pause.
    """
    if cause is Cause.WORKER_LEFT:
        run.interruptions += 1
        session.flush()
    failures = run.attempt_count - run.interruptions
    if run.status is RunStatus.STOPPING or failures >= run.max_attempts:
        change_status(session, run, RunStatus.CRASHED, cause, actor=actor, problem=problem)
        return
    pause = 0.0
    if failures:
        longest = settings.retry_longest_seconds
        pause = min(longest, settings.retry_seconds * 2.0 ** min(failures - 1, 30))
    change_status(
        session,
        run,
        RunStatus.QUEUED,
        cause,
        actor=actor,
        problem=problem,
        worker_id=None,
        not_before=now(session).timestamp() + pause if pause else None,
    )
    enqueue(session, run)


def close_attempt(
    session: Session, attempt: Attempt, outcome: RunStatus | None, exit_code: int | None
) -> None:
    """Mark an attempt as over, with everything that it wrote copied; its time is used up."""
    attempt.ended_at = now(session)
    attempt.outcome = outcome.value if outcome else "interrupted"
    attempt.exit_code = exit_code
    attempt.drained = True
    spent = (attempt.ended_at - attempt.started_at).total_seconds()
    session.execute(
        update(Run)
        .where(Run.id == attempt.run_id)
        .values(used_seconds=Run.used_seconds + max(0.0, spent))
        .execution_options(synchronize_session=False)
    )
