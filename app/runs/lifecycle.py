"""The one place that changes a run's state.

Every change is a compare-and-set on the state (and, for workers, on the lease), so that of two who
want to move a run only one succeeds. Each change is written into the run's events in the same
transaction.
"""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import Session

from app import notify
from app.db import after_commit
from app.models import Attempt, Run, RunEvent
from app.models.base import database_epoch, utc_now
from app.queue import send_run
from core.errors import Problem
from core.states import LEASED, TERMINAL, RunKind, RunStatus, check_transition


class LeaseLostError(Exception):
    """The run is no longer this worker's."""


class Claim(NamedTuple):
    """What a worker gets when it wins a run."""

    attempt_id: int
    attempt_number: int
    lease_token: str
    kind: RunKind
    config: dict[str, Any]


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


def change_status(
    session: Session,
    run: Run,
    wanted: RunStatus,
    *,
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
        values |= {"phase_current": None, "phase_total": None}
    if wanted in TERMINAL:
        values["finished_at"] = utc_now()
    if problem is not None:
        values["problem"] = problem.model_dump(mode="json")
    statement = (
        update(Run)
        .where(Run.id == run.id, Run.status == current)
        .values(status=wanted, **values)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", session.execute(statement)).rowcount != 1:
        return False
    session.refresh(run)
    record_status(session, run)
    return True


def record_status(session: Session, run: Run) -> None:
    """Write the run's present state into its events."""
    session.add(
        RunEvent(
            run_id=run.id,
            cursor=next_cursors(session, run.id, 1),
            attempt_number=run.attempt_count or None,
            kind="status",
            time=utc_now().timestamp(),
            payload={
                "status": run.status.value,
                "attempt": run.attempt_count,
                "problem": run.problem,
            },
        )
    )
    session.flush()
    after_commit(session, lambda: notify.publish(run.id))


def enqueue(session: Session, run: Run) -> None:
    """Have the run's task sent after the commit, and remember when."""
    run_id = run.id
    session.execute(
        update(Run)
        .where(Run.id == run_id)
        .values(enqueued_at=database_epoch())
        .execution_options(synchronize_session=False)
    )
    after_commit(session, lambda: send_run(run_id))


def claim(
    session: Session, run_id: str, *, worker_id: str, hostname: str, directory: str, lease: float
) -> Claim | None:
    """Win a queued run for a worker, or None if it is someone else's or over.

    `directory` may hold `{number}`, which becomes the attempt's number.
    """
    run = session.get(Run, run_id)
    if run is None or run.status is not RunStatus.QUEUED:
        return None
    token = secrets.token_hex(16)
    number = run.attempt_count + 1
    if not change_status(
        session,
        run,
        RunStatus.STARTING,
        lease_token=token,
        worker_id=worker_id,
        lease_expires_at=database_epoch() + lease,
        attempt_count=number,
        started_at=run.started_at or utc_now(),
        step=0,
        total_steps=None,
        step_seconds=None,
        last_loss=None,
        problem=None,
    ):
        return None
    attempt = Attempt(
        run_id=run_id,
        number=number,
        worker_id=worker_id,
        hostname=hostname,
        directory=directory.format(number=number),
    )
    session.add(attempt)
    session.flush()
    return Claim(attempt.id, number, token, run.kind, run.config)


def renew_lease(session: Session, run_id: str, lease_token: str, lease: float) -> RunStatus:
    """Keep a run; returns its state, so that a wish to stop is seen.

    Raises:
        LeaseLostError: the reaper or someone else took the run.
    """
    statement = (
        update(Run)
        .where(Run.id == run_id, Run.lease_token == lease_token, Run.status.in_(LEASED))
        .values(lease_expires_at=database_epoch() + lease)
        .returning(Run.status)
        .execution_options(synchronize_session=False)
    )
    status = session.execute(statement).scalar_one_or_none()
    if status is None:
        raise LeaseLostError(f"the lease on run {run_id} is lost")
    return status


def expired_runs(session: Session) -> list[tuple[str, str]]:
    """Runs whose worker is silent, as (run, lease token)."""
    rows = session.execute(
        select(Run.id, Run.lease_token)
        .where(Run.status.in_(LEASED), Run.lease_expires_at < database_epoch())
        .order_by(Run.lease_expires_at)
    )
    return [(run_id, token) for run_id, token in rows if token is not None]


def take_over(session: Session, run_id: str, lease_token: str, lease: float) -> str | None:
    """Take an expired lease, so that only one reaper deals with a run; returns the new token."""
    token = secrets.token_hex(16)
    statement = (
        update(Run)
        .where(
            Run.id == run_id,
            Run.lease_token == lease_token,
            Run.status.in_(LEASED),
            Run.lease_expires_at < database_epoch(),
        )
        .values(lease_token=token, lease_expires_at=database_epoch() + lease)
        .execution_options(synchronize_session=False)
    )
    won = cast("CursorResult[Any]", session.execute(statement)).rowcount == 1
    return token if won else None


def request_stop(session: Session, run: Run) -> bool:
    """Wish that a started run stops; its worker sees it within a heartbeat."""
    return change_status(session, run, RunStatus.STOPPING)


def finish(session: Session, run: Run, status: RunStatus, problem: Problem | None) -> None:
    """Move a run to its end; one that succeeded before it was seen running runs first."""
    if status is RunStatus.SUCCEEDED and run.status is RunStatus.STARTING:
        change_status(session, run, RunStatus.RUNNING)
    change_status(session, run, status, problem=problem)


def take_up(session: Session, run: Run, max_attempts: int) -> None:
    """Queue a run that has ended again, with all its starts before it."""
    change_status(
        session,
        run,
        RunStatus.QUEUED,
        worker_id=None,
        finished_at=None,
        problem=None,
        interruptions=run.attempt_count,
        max_attempts=max_attempts,
    )
    enqueue(session, run)


def give_back(session: Session, run: Run, problem: Problem) -> None:
    """End an attempt whose worker went away: queue the run again, or call it crashed.

    A run that was being stopped is not started again.
    """
    exhausted = run.attempt_count - run.interruptions >= run.max_attempts
    if run.status is RunStatus.STOPPING or exhausted:
        change_status(session, run, RunStatus.CRASHED, problem=problem)
        return
    change_status(session, run, RunStatus.QUEUED, worker_id=None)
    enqueue(session, run)
