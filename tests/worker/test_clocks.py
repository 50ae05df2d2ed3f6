"""Hosts whose clocks are hours off do no harm: the database's clock decides."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update

from app.db import Database
from app.main import create_app
from app.models import Attempt, Project, Run, Worker
from app.models.base import database_epoch
from app.runs import lifecycle, placement
from app.settings import Settings
from app.workers import service
from core.config import RunConfig
from core.errors import Problem
from core.schedule import Schedule
from core.states import Cause, RunStatus
from tests.app.workers import USAGE, register
from worker.reaper import Reaper

Clock = Callable[[float], None]
CONFIG = RunConfig.model_validate({"model": {"name": "m"}, "data": {"path": "d.jsonl"}}).model_dump(
    mode="json"
)
LATE, EARLY = -5.0, 5.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Puts this host's clock so many hours off."""
    right = time.time

    def put(hours: float) -> None:
        seconds = hours * 3600

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime.fromtimestamp(right() + seconds, tz)

        monkeypatch.setattr(time, "time", lambda: right() + seconds)
        monkeypatch.setattr("app.models.base.datetime", Wrong)

    return put


def _run(database: Database, settings: Settings) -> str:
    with database.write() as session:
        project = Project(name="p")
        session.add(project)
        session.flush()
        run = Run(project_id=project.id, name="r", config=CONFIG)
        lifecycle.submit(session, run, Schedule(), settings, actor="a")
        return run.id


def _claim(database: Database, worker: str, lease: float = 180.0) -> lifecycle.Claim | None:
    with database.write() as session:
        return placement.claim_next(session, worker, directory="/nowhere", lease=lease)


def _status(database: Database, run_id: str) -> RunStatus:
    with database.read() as session:
        return session.get_one(Run, run_id).status


def test_a_lease_ends_when_the_database_says_so(
    database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = _run(database, settings)
    clock(LATE)
    with database.write() as session:
        worker = register(session)
    claim = _claim(database, worker)
    assert claim is not None
    clock(EARLY)  # the reaper's host
    reaper = Reaper(database, settings)
    reaper.round()
    assert _status(database, run_id) is RunStatus.STARTING
    clock(LATE)
    with database.write() as session:
        lifecycle.renew_lease(session, run_id, claim.lease_token, 30.0)
        left = select(Run.lease_expires_at - database_epoch())
        assert session.execute(left).scalar_one() == pytest.approx(30.0, abs=5.0)
        session.execute(update(Run).values(lease_expires_at=database_epoch() - 1.0))
    reaper.round()  # on a host whose clock is hours before that end
    assert _status(database, run_id) is RunStatus.QUEUED


def test_the_pause_before_another_attempt_is_by_the_databases_clock(
    database: Database, settings: Settings, clock: Clock
) -> None:
    run_id = _run(database, settings)
    with database.write() as session:
        worker = register(session)
    assert _claim(database, worker) is not None
    clock(LATE)
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        problem = Problem(code="x", message="x")
        lifecycle.give_back(session, run, problem, Cause.TRAINER_DIED, settings)
        left = select(Run.not_before - database_epoch())
        assert 0 < session.execute(left).scalar_one() <= settings.retry_seconds
    clock(EARLY)
    assert _claim(database, worker) is None  # though here the pause seems long over
    with database.write() as session:
        session.execute(update(Run).values(not_before=database_epoch() - 1.0))
    clock(LATE)
    assert _claim(database, worker) is not None


def test_times_that_are_stored_and_shown_are_the_databases(
    database: Database, settings: Settings, clock: Clock
) -> None:
    clock(LATE)
    run_id = _run(database, settings)
    with database.write() as session:
        worker = register(session)
    claim = _claim(database, worker)
    assert claim is not None
    clock(EARLY)
    with database.write() as session:
        service.heartbeat(session, worker, usage=USAGE, run_id=run_id)
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        run = client.get(f"/api/runs/{run_id}").json()
        (shown,) = client.get("/api/workers").json()["items"]
    assert run["contact"]["heard"] < 60
    assert not run["contact"]["stale"]
    assert run["duration_seconds"] < 60
    assert (shown["status"], shown["heartbeat_age"] < 60) == ("busy", True)
    with database.write() as session:
        run_row = lifecycle.lock(session, run_id)
        lifecycle.finish(session, run_row, RunStatus.FAILED, None)
        attempt = session.scalars(select(Attempt)).one()
        lifecycle.close_attempt(session, attempt, RunStatus.FAILED, 1)
    with database.read() as session:
        right = lifecycle.now(session)
        run_row = session.get_one(Run, run_id)
        attempt = session.scalars(select(Attempt)).one()
        worker_row = session.get_one(Worker, worker)
        minute = timedelta(minutes=1)
        for stored in (
            run_row.created_at,
            run_row.started_at,
            run_row.finished_at,
            attempt.started_at,
            attempt.ended_at,
            worker_row.started_at,
        ):
            assert stored is not None
            assert abs(stored.astimezone(UTC) - right) < minute
        assert run_row.used_seconds < 60
