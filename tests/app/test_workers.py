"""Workers: who they are, whether they take runs, and what their hosts did."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import notify
from app.db import Database
from app.models import Worker, WorkerSample
from app.models.base import database_epoch
from app.runs import placement
from app.settings import Settings
from app.workers import service
from tests.app.workers import USAGE, gpu, register


def _now(database: Database) -> float:
    with database.read() as session:
        return float(session.execute(select(database_epoch())).scalar_one())


def test_they_are_listed_with_their_state(
    client: TestClient, database: Database, settings: Settings
) -> None:
    ages = {"alive": 0.0, "stale": settings.stale_seconds + 1, "lost": settings.lease_seconds + 1}
    with database.write() as session:
        for name, age in ages.items():
            worker_id = register(session, name)
            session.get_one(Worker, worker_id).last_seen -= age
        service.say_goodbye(session, register(session, "gone"))
    items = client.get("/api/workers").json()["items"]
    assert [(item["name"], item["status"]) for item in items] == [
        ("alive", "idle"),
        ("lost", "lost"),
        ("stale", "stale"),
        ("gone", "gone"),
    ]
    assert items[0]["heartbeat_age"] < 5
    assert (items[0]["usage"]["cpu"], items[0]["usage"]["gpus"]) == (0.5, [])


def test_a_worker_keeps_its_place_over_restarts_and_a_second_one_gets_another(
    database: Database,
) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with database.write() as session:
        first = register(session, pid=child.pid, worker_labels=("old",))
        assert register(session, pid=child.pid) == first  # the same process again
        second = register(session)  # the other one is alive
        assert second != first
        assert session.get_one(Worker, second).name == "w (2)"
        service.set_mode(session, first, "quarantined", reason="broken", actor="Ada")
    child.kill()
    child.wait()
    assert child.stdin is not None
    child.stdin.close()
    with database.write() as session:
        # Its process is dead, so that nobody has to wait for the end of the lease.
        assert register(session, worker_labels=("new",)) == first
        worker = session.get_one(Worker, first)
        assert (worker.starts, worker.labels, worker.mode) == (3, ["new"], "quarantined")


def test_a_worker_that_is_drained_says_by_whom_and_takes_runs_again(
    client: TestClient, database: Database
) -> None:
    with database.write() as session:
        worker_id = register(session)
    headers = {"UniSD-Actor": "Ada"}
    wish = {"reason": "new driver"}
    shown = client.post(f"/api/workers/{worker_id}/drain", json=wish, headers=headers).json()
    assert (shown["mode"], shown["mode_reason"], shown["mode_by"]) == (
        "draining",
        "new driver",
        "Ada",
    )
    assert abs(shown["mode_since"] - _now(database)) < 5
    assert client.post(f"/api/workers/{worker_id}/quarantine").json()["mode"] == "quarantined"
    calls = notify.queue_length("gpu")
    assert client.post(f"/api/workers/{worker_id}/resume").json()["mode"] == "active"
    assert notify.queue_length("gpu") == calls + 1
    assert client.get(f"/api/workers/{worker_id}").json()["mode"] == "active"
    assert client.post("/api/workers/nobody/drain").status_code == 404


def test_samples_are_taken_at_times_and_thinned_when_they_are_old(
    client: TestClient, database: Database
) -> None:
    busy = USAGE.model_copy(update={"gpus": [gpu(utilization=0.9)]})
    with database.write() as session:
        worker_id = register(session)
        for _ in range(3):
            service.heartbeat(session, worker_id, usage=busy, run_id=None)
    path = f"/api/workers/{worker_id}/samples"
    (sample,) = client.get(path).json()["items"]
    assert (sample["cpu"], sample["gpus"][0]["utilization"]) == (0.5, 0.9)
    now = sample["time"]
    ages: list[int] = [*range(15, 3600, 15), *range(90_000, 97_200, 15), 31 * 86_400]
    with database.write() as session:
        session.add_all(
            WorkerSample(worker_id=worker_id, time=now - age, usage=sample) for age in ages
        )
    for _ in range(2):
        with database.write() as session:
            service.thin_samples(session)
    with database.read() as session:
        times = list(session.scalars(select(WorkerSample.time).order_by(WorkerSample.time)))
    recent = [time for time in times if time > now - 86_400]
    assert len(recent) == 240
    old = [time for time in times if time <= now - 86_400]
    assert 12 <= len(old) <= 14
    assert now - old[0] < 30 * 86_400
    few = client.get(path, params={"limit": 10}).json()["items"]
    assert 5 <= len(few) <= 10
    assert few[-1]["time"] == now
    assert len(client.get(path, params={"seconds": 600}).json()["items"]) == 40


@pytest.mark.parametrize("body", [{"reason": "x" * 2000}, {"colour": "red"}])
def test_a_wrong_wish_is_refused(
    client: TestClient, database: Database, body: dict[str, Any]
) -> None:
    with database.write() as session:
        worker_id = register(session)
    assert client.post(f"/api/workers/{worker_id}/drain", json=body).status_code == 422


def test_it_tells_what_it_does_for_whom_and_what_waits_behind(
    client: TestClient, database: Database, config: dict[str, Any]
) -> None:
    ids = []
    for name, schedule in {"a": {}, "b": {}, "c": {"labels": ["a100"]}}.items():
        wanted = {"config": config, "name": name, "schedule": schedule}
        answer = client.post("/api/runs", json=wanted, headers={"UniSD-Actor": "Ada"})
        ids.append(answer.json()["id"])
    with database.write() as session:
        plain, labelled = (
            register(session, "plain"),
            register(session, "labelled", worker_labels=("a100",)),
        )
        claim = placement.claim_next(session, plain, directory="/d/{number}", lease=30)
        assert claim is not None
        assert claim.run_id == ids[0]
        service.heartbeat(session, plain, usage=USAGE, run_id=ids[0])
    items = {item["id"]: item for item in client.get("/api/workers").json()["items"]}
    busy, idle = items[plain], items[labelled]
    assert (busy["run_name"], busy["run_by"], busy["waiting"]) == ("a", "Ada", 1)
    assert (idle["run_name"], idle["run_by"], idle["waiting"]) == (None, "", 2)
