"""Which run a worker takes, in which order, and what a run waits for."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app import notify
from app.db import Database
from app.models import Run, Worker
from app.models.base import database_epoch
from app.runs import placement
from app.workers import service
from tests.app.workers import USAGE, register


def _create(client: TestClient, config: dict[str, Any], name: str, **schedule: Any) -> str:
    wanted = {"config": config, "name": name, "schedule": schedule}
    answer = client.post("/api/runs", json=wanted)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _take(database: Database, worker_id: str) -> str | None:
    """Name of the run that a worker gets."""
    with database.write() as session:
        claim = placement.claim_next(session, worker_id, directory="/d/{run}/{number}", lease=30)
        return session.get_one(Run, claim.run_id).name if claim else None


def _worker(database: Database, **more: Any) -> str:
    with database.write() as session:
        return register(session, **more)


def _waiting(client: TestClient) -> list[str]:
    """Names in the order in which they start."""
    queues = client.get("/api/queues").json()["items"]
    return [item["run"]["name"] for queue in queues for item in queue["runs"]]


def test_priority_comes_before_age_and_people_can_reorder(
    client: TestClient, database: Database, config: dict[str, Any]
) -> None:
    ids = {name: _create(client, config, name) for name in "abcd"}
    client.patch(f"/api/runs/{ids['c']}", json={"priority": 5})
    assert _waiting(client) == ["c", "a", "b", "d"]
    client.post(f"/api/runs/{ids['d']}/move", json={"before": ids["b"]})
    assert _waiting(client) == ["c", "a", "d", "b"]
    client.post(f"/api/runs/{ids['b']}/move", json={"before": ids["c"]})
    assert _waiting(client) == ["b", "c", "a", "d"]
    client.post(f"/api/runs/{ids['c']}/move", json={})
    assert _waiting(client) == ["b", "a", "d", "c"]
    _create(client, config, "e")
    worker_id = _worker(database)
    assert [_take(database, worker_id) for _ in range(6)] == ["b", "a", "d", "c", "e", None]
    answer = client.post(f"/api/runs/{ids['a']}/move", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("schedule", "worker", "reason"),
    [
        ({}, {}, None),
        ({"labels": ["a100"]}, {"worker_labels": ("site=x", "a100")}, None),
        ({"labels": ["a100", "b"]}, {"worker_labels": ("a100",)}, "lacks the label b"),
        ({"gpu_memory_bytes": 2**30}, {}, "has no GPU"),
        ({"gpu_memory_bytes": 2**30}, {"gpus": 1}, None),
        ({"gpu_memory_bytes": 90 * 2**30}, {"gpus": 1}, "has 80 of 90 GiB"),
        ({"queue": "interactive"}, {"worker_queues": ("gpu",)}, "does not serve the queue"),
    ],
)
def test_a_run_goes_only_where_it_fits_and_does_not_hold_up_others(
    client: TestClient,
    database: Database,
    config: dict[str, Any],
    schedule: dict[str, Any],
    worker: dict[str, Any],
    reason: str | None,
) -> None:
    wanted = _create(client, config, "wanted", priority=1, **schedule)
    _create(client, config, "other")
    worker_id = _worker(database, **worker)
    waiting = client.get(f"/api/runs/{wanted}").json()["waiting"]
    assert waiting["position"] == 1
    if reason is None:
        assert waiting["reasons"] == []
        assert _take(database, worker_id) == "wanted"
    else:
        assert f"No worker fits: w {reason}" in waiting["reasons"][0]
        assert _take(database, worker_id) == "other"
        assert _take(database, worker_id) is None


def test_what_a_run_waits_for_is_told(
    client: TestClient, database: Database, config: dict[str, Any]
) -> None:
    first, second = _create(client, config, "one"), _create(client, config, "two")

    def reasons(run_id: str) -> list[str]:
        told: list[str] = client.get(f"/api/runs/{run_id}").json()["waiting"]["reasons"]
        return told

    assert reasons(first) == ["No worker is connected."]
    worker_id = _worker(database)
    assert reasons(first) == []
    with database.write() as session:
        claim = placement.claim_next(session, worker_id, directory="/d/{run}/{number}", lease=30)
        assert claim is not None
        service.heartbeat(session, worker_id, usage=USAGE, run_id=claim.run_id)
    assert reasons(second) == ["All workers that fit are busy: w with “one”."]
    client.post(f"/api/workers/{worker_id}/drain")
    assert reasons(second) == ["No worker that fits takes runs: w (draining)."]
    with database.write() as session:
        session.execute(
            update(Run).where(Run.id == second).values(not_before=database_epoch() + 50)
        )
    assert reasons(second)[0].startswith("The next attempt begins in")


def test_a_paused_queue_gives_out_nothing_and_says_by_whom(
    client: TestClient, database: Database, config: dict[str, Any]
) -> None:
    _create(client, config, "one")
    worker_id = _worker(database)
    headers = {"UniSD-Actor": "Ada"}
    assert client.post("/api/queues/gpu/pause", headers=headers).status_code == 204
    (queue, other) = client.get("/api/queues").json()["items"]
    assert (queue["name"], queue["paused"], queue["changed_by"]) == ("gpu", True, "Ada")
    assert not other["paused"]
    assert queue["runs"][0]["reasons"] == ["The GPU queue is paused."]
    assert _take(database, worker_id) is None
    calls = notify.queue_length("gpu")
    client.post("/api/queues/gpu/resume")
    assert notify.queue_length("gpu") == calls + 1
    assert _take(database, worker_id) == "one"


def test_a_worker_that_is_drained_or_has_a_pause_before_it_takes_nothing(
    client: TestClient, database: Database, config: dict[str, Any]
) -> None:
    run_id = _create(client, config, "one")
    worker_id = _worker(database)
    with database.write() as session:
        session.get_one(Worker, worker_id).mode = "quarantined"
    assert _take(database, worker_id) is None
    with database.write() as session:
        session.get_one(Worker, worker_id).mode = "active"
        session.execute(
            update(Run).where(Run.id == run_id).values(not_before=database_epoch() + 50)
        )
    assert _take(database, worker_id) is None
    with database.write() as session:
        session.execute(update(Run).values(not_before=database_epoch() - 1))
    assert _take(database, worker_id) == "one"
