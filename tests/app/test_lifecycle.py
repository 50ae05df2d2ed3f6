from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select, update

from app import notify
from app.db import Database
from app.models import Attempt, Project, Run, RunEvent, Worker
from app.models.base import database_epoch
from app.runs import lifecycle
from app.settings import Settings
from core.errors import Problem
from core.states import Cause, IllegalTransitionError, RunStatus, StopMode

PROBLEM = Problem(code="worker_lost", message="The worker is lost.")


@pytest.fixture
def run_id(database: Database) -> Iterator[str]:
    with database.write() as session:
        project = Project(name="P")
        session.add(project)
        session.flush()
        run = Run(project_id=project.id, name="r", config={}, max_attempts=2)
        session.add(run)
        session.flush()
        yield_id = run.id
        for name in ("w1", "w2"):
            session.add(
                Worker(
                    id=name,
                    name=name,
                    hostname="h",
                    pid=1,
                    last_seen=0.0,
                    hardware={},
                    usage={},
                    versions={},
                )
            )
    return yield_id


def _claim(database: Database, run_id: str, lease: float = 30.0) -> lifecycle.Claim | None:
    with database.write() as session:
        return lifecycle.claim(
            session, run_id, worker_id="w1", hostname="h", directory="/d/{number}", lease=lease
        )


def _give_back(
    database: Database, run_id: str, cause: Cause = Cause.LEASE_EXPIRED, **settings: float
) -> None:
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.give_back(session, run, PROBLEM, cause, Settings(**settings))


def _status(database: Database, run_id: str) -> RunStatus:
    with database.read() as session:
        return session.get_one(Run, run_id).status


def test_of_many_who_claim_one_wins(database: Database, run_id: str) -> None:
    claims: list[lifecycle.Claim | None] = []
    barrier = threading.Barrier(6)

    def claim() -> None:
        barrier.wait()
        claims.append(_claim(database, run_id))

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(claim is not None for claim in claims) == 1
    with database.read() as session:
        assert len(session.scalars(select(Attempt)).all()) == 1


def test_a_lease_is_renewed_only_by_its_holder(database: Database, run_id: str) -> None:
    claim = _claim(database, run_id)
    assert claim is not None
    with database.write() as session:
        orders = lifecycle.renew_lease(session, run_id, claim.lease_token, 30.0)
        assert orders == (RunStatus.STARTING, None, None, None)
    with database.write() as session, pytest.raises(lifecycle.LeaseLostError):
        lifecycle.renew_lease(session, run_id, "someone else", 30.0)


def test_an_expired_lease_is_taken_over_once_and_its_holder_learns_of_it(
    database: Database, run_id: str
) -> None:
    claim = _claim(database, run_id, lease=-1.0)
    assert claim is not None
    with database.read() as session:
        assert lifecycle.expired_runs(session) == [(run_id, claim.lease_token)]
    with database.write() as session:
        assert lifecycle.take_over(session, run_id, claim.lease_token, 30.0)
        assert lifecycle.take_over(session, run_id, claim.lease_token, 30.0) is None
    with database.write() as session, pytest.raises(lifecycle.LeaseLostError):
        lifecycle.renew_lease(session, run_id, claim.lease_token, 30.0)


def test_a_lease_that_was_renewed_in_time_is_not_taken(database: Database, run_id: str) -> None:
    claim = _claim(database, run_id)
    assert claim is not None
    with database.write() as session:
        assert lifecycle.expired_runs(session) == []
        assert lifecycle.take_over(session, run_id, claim.lease_token, 30.0) is None


def test_a_lost_run_is_queued_again_until_its_attempts_are_used_up(
    database: Database, run_id: str
) -> None:
    for expected in (RunStatus.QUEUED, RunStatus.CRASHED):
        assert _claim(database, run_id) is not None
        _give_back(database, run_id)
        assert _status(database, run_id) is expected
    with database.read() as session:
        run = session.get_one(Run, run_id)
        assert run.problem == PROBLEM.model_dump(mode="json")
        assert (run.lease_token, run.lease_expires_at) == (None, None)
        assert run.finished_at is not None


def test_a_worker_that_is_shut_down_costs_no_attempt(database: Database, run_id: str) -> None:
    for _ in range(4):
        assert _claim(database, run_id) is not None
        _give_back(database, run_id, Cause.WORKER_LEFT)
        assert _status(database, run_id) is RunStatus.QUEUED


def test_a_run_that_was_being_stopped_is_not_started_again(database: Database, run_id: str) -> None:
    assert _claim(database, run_id) is not None
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.request_stop(session, run, StopMode.SAVE, actor="Ada")
    _give_back(database, run_id)
    assert _status(database, run_id) is RunStatus.CRASHED


def test_each_attempt_that_goes_wrong_is_followed_by_a_longer_pause(
    database: Database, run_id: str
) -> None:
    with database.write() as session:
        session.get_one(Run, run_id).max_attempts = 9
    for pause in (10.0, 20.0, 40.0, 60.0, 60.0):
        assert _claim(database, run_id) is not None
        _give_back(database, run_id, Cause.TRAINER_DIED, retry_longest_seconds=60.0)
        with database.read() as session:
            run = session.get_one(Run, run_id)
            assert run.not_before is not None
            wait = run.not_before - lifecycle.now(session).timestamp()
        assert wait == pytest.approx(pause, abs=2.0)


def test_the_history_says_what_changed_why_and_by_whom(database: Database, run_id: str) -> None:
    assert _claim(database, run_id) is not None
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.request_stop(session, run, StopMode.FORCE, actor="Ada")
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.finish(session, run, RunStatus.STOPPED, None, Cause.KILLED, actor="worker w1")
    with database.read() as session:
        told = [event.payload for event in session.scalars(select(RunEvent))]
        version = session.get_one(Run, run_id).version
    keys = ("previous", "status", "cause", "actor")
    assert [tuple(one[key] for key in keys) for one in told] == [
        ("queued", "starting", "claimed", "worker w1"),
        ("starting", "stopping", "stop_requested", "Ada"),
        ("stopping", "stopped", "killed", "worker w1"),
    ]
    assert version == 4


def test_an_illegal_move_raises_and_changes_nothing(database: Database, run_id: str) -> None:
    with database.write() as session, pytest.raises(IllegalTransitionError):
        lifecycle.change_status(
            session, lifecycle.lock(session, run_id), RunStatus.SUCCEEDED, Cause.ENDED
        )
    assert _status(database, run_id) is RunStatus.QUEUED


def test_who_acts_on_an_old_view_of_the_run_does_nothing(database: Database, run_id: str) -> None:
    with database.read() as session:
        old = session.get_one(Run, run_id)
        session.expunge(old)
    assert _claim(database, run_id) is not None
    with database.write() as session:
        assert not lifecycle.change_status(session, old, RunStatus.CANCELLED, Cause.CANCELLED)
    assert _status(database, run_id) is RunStatus.STARTING


def test_a_task_is_sent_after_the_commit_and_only_then(database: Database, run_id: str) -> None:
    before = notify.queue_length("gpu")

    def roll_back() -> None:
        with database.write() as session:
            lifecycle.enqueue(session, lifecycle.lock(session, run_id))
            raise KeyError

    with pytest.raises(KeyError):
        roll_back()
    assert notify.queue_length("gpu") == before
    with database.write() as session:
        lifecycle.enqueue(session, lifecycle.lock(session, run_id))
        assert notify.queue_length("gpu") == before
    assert notify.queue_length("gpu") == before + 1


def test_the_databases_clock_is_used(database: Database, run_id: str) -> None:
    with database.write() as session:
        session.execute(update(Run).values(enqueued_at=database_epoch()))
    with database.read() as session:
        run = session.get_one(Run, run_id)
        assert run.enqueued_at == pytest.approx(run.created_at.timestamp(), abs=5.0)


def test_numbers_are_handed_out_without_gaps_to_writers_at_once(
    database: Database, run_id: str
) -> None:
    def write() -> None:
        for _ in range(5):
            with database.write() as session:
                run = lifecycle.lock(session, run_id)
                lifecycle.record_steering(session, run, "Ada", {})

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        cursors = session.scalars(select(RunEvent.cursor).order_by(RunEvent.cursor)).all()
    assert list(cursors) == list(range(1, 21))
