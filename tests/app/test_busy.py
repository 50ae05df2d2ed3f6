"""While the database is busy writing, reads are answered, and writes say when they cannot be."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from app import deps
from app.db import Database
from app.models import Attempt
from app.runs.ingest import ingest
from tests.reporting import ReportingRun

# Seconds: some hundredths on a machine at rest; a read that waited would wait for the write's end.
AT_ONCE = 1.5


@pytest.fixture
def run(database: Database) -> ReportingRun:
    return ReportingRun(database)


@contextmanager
def _long_write(database: Database, run: ReportingRun) -> Iterator[Session]:
    """A big batch of a run's events that is not committed before the block ends."""
    lines = run.lines(2000)
    with database.write() as session:
        session.get_one(Attempt, run.attempt_id)
        ingest(session, run.attempt_id, 0, lines, len(lines))
        yield session


def _seconds(client: TestClient, path: str) -> float:
    began = time.monotonic()
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return time.monotonic() - began


def test_reads_are_answered_during_a_long_write(
    client: TestClient, database: Database, run: ReportingRun
) -> None:
    paths = ["/api/runs", f"/api/runs/{run.id}", f"/api/runs/{run.id}/metrics", "/api/projects"]
    for path in paths:
        _seconds(client, path)  # what is loaded and connected at first is not measured
    with _long_write(database, run):
        assert max(_seconds(client, path) for path in paths) < AT_ONCE
        assert client.get(f"/api/runs/{run.id}/metrics").json()["items"] == []
    (series,) = client.get(f"/api/runs/{run.id}/metrics").json()["items"]
    assert series["points"] == 2000


def test_a_write_that_cannot_get_its_lock_says_when_to_try_again(
    client: TestClient, database: Database, run: ReportingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deps, "WRITE_PATIENCE_SECONDS", 0.3)
    url = f"/api/runs/{run.id}/stop"
    with _long_write(database, run):
        began = time.monotonic()
        answer = client.post(url)
        assert 0.2 < time.monotonic() - began < 2
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["retry-after"]) >= 1
    problem = answer.json()
    assert problem["code"] == "database_busy"
    assert "Nothing was changed" in problem["detail"]
    assert client.get(f"/api/runs/{run.id}").json()["status"] == "starting"
    assert client.post(url).json()["status"] == "stopping"


def test_a_write_waits_for_a_short_one(
    client: TestClient, database: Database, run: ReportingRun
) -> None:
    with ThreadPoolExecutor(1) as threads:
        with _long_write(database, run):
            answer = threads.submit(client.post, f"/api/runs/{run.id}/stop")
            time.sleep(0.3)
            assert not answer.done()
        assert answer.result().json()["status"] == "stopping"


def test_many_waiting_writes_leave_room_for_reads(
    client: TestClient, database: Database, run: ReportingRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deps, "WRITE_PATIENCE_SECONDS", 20.0)
    with ThreadPoolExecutor(60) as threads:
        with _long_write(database, run):
            writes = [threads.submit(client.post, f"/api/runs/{run.id}/stop") for _ in range(60)]
            refused = _first(writes, 60 - deps._WRITERS_AT_ONCE)
            assert _seconds(client, "/api/runs") < AT_ONCE
            assert len(_first(writes, 0)) == len(refused)  # the others still wait
        statuses = [write.result().status_code for write in writes]
    assert {write.result().status_code for write in refused} == {503}
    assert statuses.count(200) == deps._WRITERS_AT_ONCE


def _first(writes: list[Future[object]], count: int) -> list[Future[object]]:
    """Those that are done, once there are at least so many."""
    for _ in range(1000):
        done = list(wait(writes, timeout=0.01).done)
        if len(done) >= count:
            return done
    raise AssertionError(f"only {len(done)} of {count} requests were answered")
