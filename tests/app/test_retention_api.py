"""Retention across the states of a run's weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from app.db import Database
from app.models import Run
from core.evaluation_job import EvaluationJob
from core.states import RunKind, RunStatus
from tests.app.compared import make_config, make_evaluation, make_run


def _job(adapter: str | None, **more: Any) -> dict[str, Any]:
    sets = [{"name": "own", "path": "/questions.jsonl", "limit": 4, "retention": True}]
    job = EvaluationJob.model_validate({"adapter": adapter, "sets": sets, **more})
    return job.model_dump(mode="json")


@pytest.fixture
def trained(database: Database) -> str:
    """A run of 9 steps that asked its student before the first and after the fifth."""
    config = make_config(1) | {"evaluation": {"benchmarks": ["cos_e"], "limit": 3}}
    run_id = make_run(database, "trained", config=config)
    make_evaluation(database, run_id, "own", [True, False, False, False], step=0, time=1.0)
    make_evaluation(database, run_id, "own", [True, True, False, False], step=5, time=2.0)
    make_evaluation(database, run_id, "own", [True, True, True, False], step=5, time=3.0)
    with database.write() as session:
        session.execute(update(Run).where(Run.id == run_id).values(step=9))
    return run_id


def _evaluated(
    database: Database, run_id: str, part: str, folder: Path | None = None, **more: Any
) -> str:
    adapter = f"/home/runs/{run_id}/attempt-1/{part}"
    name = f"of {part}"
    made = make_run(database, name, config=_job(adapter, **more), kind=RunKind.EVALUATION)
    if folder is not None:
        right = [True, True, False, False]
        make_evaluation(database, made, "own", right, step=0, time=4.0, folder=folder, jsd=0.2)
    return made


def test_every_evaluated_state_of_the_weights_is_a_point(
    client: TestClient, database: Database, trained: str, tmp_path: Path
) -> None:
    at_7 = _evaluated(database, trained, "checkpoints/step-00000007", tmp_path / "7" / "own")
    end = _evaluated(database, trained, "adapter", tmp_path / "end" / "own")
    waiting = _evaluated(database, trained, "checkpoints/step-00000002", weights="ema")
    other = make_run(database, "other")
    _evaluated(database, other, "adapter", tmp_path / "other" / "own")
    with database.write() as session:
        queued = update(Run).where(Run.id == waiting).values(status=RunStatus.QUEUED)
        session.execute(queued)

    found = client.get(f"/api/runs/{trained}/retention").json()
    points = [(one["weights"], one["step"], one["run_id"], one["last"]) for one in found["items"]]
    assert points == [
        ("base", 0, trained, False),
        ("student", 5, trained, False),
        ("student", 7, at_7, False),
        ("student", 9, end, True),
    ]
    gains = [one["gain"] for one in found["items"]]
    assert gains == [0, 0.5, 0.25, 0.25]  # the fifth step as it was done last
    assert [one["jsd"] for one in found["items"]] == [None, None, 0.2, 0.2]
    assert found["items"][1]["accuracy"]["low"] is not None
    (pending,) = found["pending"]
    assert (pending["run_id"], pending["weights"], pending["step"]) == (waiting, "ema", 2)
    assert {one["name"]: one["limit"] for one in found["sets"]} == {"cos_e": 3, "own": 4}

    alone = client.get(f"/api/runs/{at_7}/retention").json()
    assert [(one["weights"], one["step"]) for one in alone["items"]] == [("student", 7)]
    assert (alone["source_run_id"], alone["source_run_name"]) == (trained, "trained")
    base = make_run(database, "base", config=_job(None), kind=RunKind.EVALUATION)
    make_evaluation(database, base, "own", [True, False], step=0)
    (point,) = client.get(f"/api/runs/{base}/retention").json()["items"]
    assert (point["weights"], point["gain"]) == ("base", None)
    assert client.get("/api/runs/nobody/retention").status_code == 404


def test_what_was_not_compared_says_so(
    client: TestClient, database: Database, tmp_path: Path
) -> None:
    run_id = make_run(database, "plain")
    make_evaluation(database, run_id, "own", [True, False], folder=tmp_path / "plain" / "own")
    (item,) = client.get(f"/api/runs/{run_id}/evaluations").json()["items"]
    answer = client.get(f"/api/runs/{run_id}/evaluations/{item['cursor']}/retention")
    assert (answer.status_code, answer.json()["code"]) == (422, "retention_not_measured")
