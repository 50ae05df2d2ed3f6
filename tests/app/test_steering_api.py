"""What people do to runs that exist, and how two of them do not get in each other's way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app import notify
from app.db import Database
from app.models import Run
from app.models.base import database_epoch
from app.runs import lifecycle
from app.settings import Settings
from core.errors import Problem
from core.states import Cause, RunStatus
from tests.app.conftest import claim_run

ADA = {"UniSD-Actor": "Ada"}


@pytest.fixture
def run_id(client: TestClient, config: dict[str, Any]) -> str:
    answer = client.post("/api/runs", json={"config": config, "name": "one"}, headers=ADA)
    return str(answer.json()["id"])


@pytest.fixture
def started(run_id: str, database: Database, tmp_path: Path) -> str:
    claim_run(database, run_id, tmp_path)
    return run_id


def _give_back(database: Database, settings: Settings, run_id: str, cause: Cause) -> None:
    problem = Problem(code="trainer_killed", message="It was killed.")
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.give_back(session, run, problem, cause, settings)


def test_of_two_who_steer_by_the_same_view_the_second_is_told(
    client: TestClient, started: str
) -> None:
    seen = client.get(f"/api/runs/{started}").json()["version"]
    wish = {"mode": "save", "version": seen}
    assert client.post(f"/api/runs/{started}/stop", json=wish).json()["status"] == "stopping"
    refused = client.post(f"/api/runs/{started}/stop", json=wish | {"mode": "force"})
    assert refused.status_code == 409
    assert "changed meanwhile: it is stopping now" in refused.json()["detail"]
    for path, body in (("cancel", {}), ("resume", {}), ("move", {})):
        answer = client.post(f"/api/runs/{started}/{path}", json=body | {"version": seen})
        assert "changed meanwhile" in answer.json()["detail"]
    answer = client.patch(f"/api/runs/{started}", json={"name": "x", "version": seen})
    assert answer.status_code == 409
    answer = client.delete(f"/api/runs/{started}", params={"version": seen})
    assert "changed meanwhile" in answer.json()["detail"]


def test_a_stop_is_pending_until_the_worker_knows_and_can_only_become_more_urgent(
    client: TestClient, database: Database, started: str
) -> None:
    def contact(mode: str) -> dict[str, Any]:
        run = client.post(f"/api/runs/{started}/stop", json={"mode": mode}).json()
        return run["contact"] | {"mode": run["stop_mode"]}

    asked = contact("save")
    assert (asked["wish_pending"], asked["kill_in"], asked["mode"]) == (True, None, "save")
    with database.write() as session:
        token = session.get_one(Run, started).lease_token
        assert token is not None
        lifecycle.confirm_stop(session, started, token, 60.0)
    confirmed = contact("save")
    assert not confirmed["wish_pending"]
    assert 50 < confirmed["kill_in"] <= 60
    forced = contact("force")
    assert (forced["wish_pending"], forced["kill_in"], forced["mode"]) == (True, None, "force")
    assert contact("discard")["mode"] == "force"


def test_a_worker_that_is_not_heard_of_is_shown_as_stale(
    client: TestClient, database: Database, settings: Settings, started: str
) -> None:
    assert not client.get(f"/api/runs/{started}").json()["contact"]["stale"]
    left = settings.lease_seconds - settings.stale_seconds - 5
    with database.write() as session:
        session.execute(update(Run).values(lease_expires_at=database_epoch() + left))
    contact = client.get(f"/api/runs/{started}").json()["contact"]
    assert contact["stale"]
    assert contact["heard"] == pytest.approx(settings.stale_seconds + 5, abs=3)
    assert contact["lease_left"] == pytest.approx(left, abs=3)


def test_a_run_that_waits_for_its_next_attempt_is_stopped_not_cancelled(
    client: TestClient, database: Database, settings: Settings, started: str
) -> None:
    _give_back(database, settings, started, Cause.TRAINER_DIED)
    run = client.get(f"/api/runs/{started}").json()
    assert (run["status"], run["problem"]["code"]) == ("queued", "trainer_killed")
    assert run["retry_at"] is not None
    assert "next attempt begins" in run["waiting"]["reasons"][0]
    assert "Stop it" in client.post(f"/api/runs/{started}/cancel").json()["remedy"]
    stopped = client.post(f"/api/runs/{started}/stop").json()
    assert (stopped["status"], stopped["retry_at"]) == ("stopped", None)
    resumed = client.post(f"/api/runs/{started}/resume").json()
    assert (resumed["status"], resumed["used_seconds"]) == ("queued", 0.0)


def test_name_priority_and_limits_change_with_a_trace(client: TestClient, run_id: str) -> None:
    change = {"name": "two", "priority": 7, "labels": ["a"], "time_limit_seconds": 60}
    run = client.patch(f"/api/runs/{run_id}", json=change, headers=ADA).json()
    assert {key: run[key] for key in change} == change
    change = {"time_limit_seconds": None, "max_attempts": 9, "gpu_memory_bytes": 5}
    run = client.patch(f"/api/runs/{run_id}", json=change).json()
    assert {key: run[key] for key in change} == change
    assert run["name"] == "two"
    history = client.get(f"/api/runs/{run_id}/transitions").json()["items"]
    assert history[0]["status"] == "queued"
    assert [one["actor"] for one in history] == ["Ada", "Ada", "someone"]
    assert history[1]["changes"]["priority"] == [0, 7]
    for wrong in ({"priority": 1000}, {"name": " "}, {"labels": ["a b"]}, {"max_attempts": 0}):
        assert client.patch(f"/api/runs/{run_id}", json=wrong).status_code == 422
    client.post(f"/api/runs/{run_id}/cancel")
    assert client.patch(f"/api/runs/{run_id}", json={"priority": 1}).status_code == 409
    assert client.patch(f"/api/runs/{run_id}", json={"name": "x"}).json()["name"] == "x"


def test_a_deleted_run_is_gone_at_once_unless_it_is_under_way_or_needed(
    client: TestClient, database: Database, started: str, config: dict[str, Any]
) -> None:
    assert "Stop it first" in client.delete(f"/api/runs/{started}").json()["remedy"]
    with database.write() as session:
        run = lifecycle.lock(session, started)
        lifecycle.finish(session, run, RunStatus.FAILED, None)
    asked = {"name": "q", "path": config["data"]["path"]}
    wanted = {"run_id": started, "weights": "base", "sets": [asked]}
    reader = client.post("/api/evaluations", json=wanted).json()
    with database.write() as session:
        row = session.get_one(Run, reader["id"])
        row.config = row.config | {"adapter": f"/runs/{started}/attempt-1/adapter"}
    refused = client.delete(f"/api/runs/{started}")
    assert refused.status_code == 409
    assert reader["name"] in refused.json()["detail"]
    client.post(f"/api/runs/{reader['id']}/cancel")
    assert client.delete(f"/api/runs/{started}").status_code == 202
    assert client.get(f"/api/runs/{started}").status_code == 404
    listed = client.get("/api/runs").json()
    assert [run["id"] for run in listed["items"]] == [reader["id"]]
    assert client.delete(f"/api/runs/{started}").status_code == 404


def test_a_waiting_run_is_taken_out_of_the_queue_when_it_is_deleted(
    client: TestClient, database: Database, run_id: str
) -> None:
    assert client.delete(f"/api/runs/{run_id}").status_code == 202
    with database.read() as session:
        run = session.get_one(Run, run_id)
        assert (run.status, run.deleting) == (RunStatus.CANCELLED, True)


def test_a_small_evaluation_goes_to_the_interactive_queue(
    client: TestClient, run_id: str, config: dict[str, Any]
) -> None:
    def queue(**more: Any) -> str:
        asked = {"name": "q", "path": config["data"]["path"], **more}
        wanted = {"run_id": run_id, "weights": "base", "sets": [asked]}
        return str(client.post("/api/evaluations", json=wanted).json()["queue"])

    before = notify.queue_length("interactive")
    assert queue(limit=100) == "interactive"
    assert notify.queue_length("interactive") == before + 1
    assert queue() == "gpu"
    assert queue(limit=100, samples=3, temperature=0.7) == "gpu"
