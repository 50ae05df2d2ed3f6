from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app import notify
from app.db import Database
from app.models import Project, Run, Study, Worker
from app.runs import lifecycle
from app.runs.ingest import final_status, ingest, position
from app.studies.report import StudyReport
from cli.study_report import markdown
from core.states import RunStatus

SCORE = "eval/sums/accuracy"


@pytest.fixture
def plan(config: dict[str, Any]) -> dict[str, Any]:
    """Two by two levels, two seeds."""
    return {
        "name": "Does it help?",
        "project": "Questions",
        "base": config,
        "factors": {
            "method": {"sdft": {"preset": "sdft"}, "gkd": {"preset": "gkd"}},
            "ema": {"off": {}, "on": {"teacher": {"weights": "ema"}}},
        },
        "seeds": [1, 2],
    }


def create(client: TestClient, plan: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/studies", json=plan)
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def claim(database: Database, run_id: str) -> lifecycle.Claim:
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        session.add(worker)
        session.flush()
        won = lifecycle.claim(
            session, run_id, worker_id=worker.id, hostname="h", directory="/d/{number}", lease=30
        )
    assert won is not None
    return won


def report(database: Database, attempt_id: int, *events: dict[str, Any]) -> None:
    lines = [
        json.dumps({"seq": seq, "time": 1000.0 + seq, **event}).encode()
        for seq, event in enumerate(events)
    ]
    with database.write() as session:
        ingest(session, attempt_id, 0, lines, 10)


def metrics(step: int, score: float | None) -> dict[str, Any]:
    values = {"tokens/student": 100.0, SCORE: score}
    return {"kind": "metrics", "step": step, "total_steps": 2, "epoch": 0.1, "values": values}


def succeed(database: Database, run_id: str, first: float | None, last: float | None) -> None:
    attempt_id = claim(database, run_id).attempt_id
    report(
        database,
        attempt_id,
        {"kind": "phase", "phase": "training"},
        metrics(0, first),
        metrics(2, last),
        {"kind": "finished", "outcome": "succeeded"},
    )
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        verdict = final_status(position(session, attempt_id).finished, run.status)
        assert verdict is not None
        lifecycle.finish(session, run, *verdict)


def test_a_plan_becomes_queued_runs_in_its_order(client, plan, database):
    tasks = notify.queue_length("gpu")
    study = create(client, plan)
    assert study["runs"] == {"queued": 8}
    assert [cell["name"] for cell in study["cells"][:3]] == [
        "method=sdft,ema=off,seed=1",
        "method=sdft,ema=off,seed=2",
        "method=sdft,ema=on,seed=1",
    ]
    assert notify.queue_length("gpu") == tasks + 8
    run = client.get(f"/api/runs/{study['cells'][7]['id']}").json()
    assert run["config"]["training"]["seed"] == 2
    assert run["config"]["teacher"]["weights"] == "ema"
    assert run["config"]["objective"]["completions"] == "mixed"
    with database.read() as session:
        project = session.scalars(select(Project).where(Project.name == "Questions")).one()
    assert study["project_id"] == run["project_id"] == project.id
    assert client.get(f"/api/studies/{study['id']}").json()["plan"]["seeds"] == [1, 2]
    listed = client.get("/api/studies", params={"project_id": project.id}).json()
    assert (listed["total"], listed["items"][0]["runs"]) == (1, {"queued": 8})
    assert client.get("/api/studies", params={"project_id": "none"}).json()["items"] == []


def test_a_mistake_in_one_cell_stores_nothing(client, plan, database):
    tasks = notify.queue_length("gpu")
    plan["factors"]["ema"]["on"] = {"teacher": {"weigths": "ema"}}
    plan["factors"]["method"]["gkd"]["data"] = {"path": "/nowhere.jsonl"}
    answer = client.post("/api/studies", json=plan)
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["field"] == "factors.ema.on.teacher.weigths"
    assert "“ema”, level “on”" in problem["message"]
    plan["factors"]["ema"]["on"] = {"teacher": {"weights": "ema"}}
    (problem,) = client.post("/api/studies", json=plan).json()["errors"]
    assert problem["field"] == "factors.method.gkd.data.path"
    with database.read() as session:
        assert session.execute(select(func.count(Study.id))).scalar_one() == 0
        assert session.execute(select(func.count(Run.id))).scalar_one() == 0
    assert notify.queue_length("gpu") == tasks


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"baseline": {"ema": "maybe"}}, "which has off, on"),
        ({"seeds": []}, "at least 1"),
        ({"colour": "red"}, "colour"),
        ({"factors": {"a b": {"x": {}}}}, "pattern"),
        ({"base": None}, "dictionary"),
    ],
)
def test_a_plan_that_is_none_is_refused(client, plan, change, told):
    answer = client.post("/api/studies", json={**plan, **change})
    assert answer.status_code == 422
    assert told in answer.text


def test_results_become_means_effects_and_cost(client, plan, database):
    study = create(client, plan)
    for cell in study["cells"]:
        levels, seed = cell["levels"], cell["seed"]
        score = 0.4 + 0.01 * seed
        score += 0.1 * (levels["ema"] == "on") + 0.2 * (levels["method"] == "gkd")
        score += 0.04 * (levels == {"method": "gkd", "ema": "on"})
        if cell is not study["cells"][-1]:
            succeed(database, cell["id"], 0.3, score)
    found = client.get(f"/api/studies/{study['id']}").json()
    assert found["runs"] == {"succeeded": 7, "queued": 1}
    report = StudyReport.model_validate(found["report"])
    assert report.metrics == [SCORE]
    first = report.cells[0]
    assert first.outcomes[SCORE].final.estimate == pytest.approx(0.415)
    assert first.outcomes[SCORE].gain.estimate == pytest.approx(0.115)
    assert first.outcomes[SCORE].final.n == 2
    assert first.cost.tokens == 400
    assert report.cost.tokens == 1400
    assert report.cost.seconds is not None
    effects = {tuple(one.levels.items()): one.interval for one in report.effects[0].effects}
    assert effects[("ema", "on"),].estimate == pytest.approx(0.12)
    assert effects[("method", "gkd"), ("ema", "on")].estimate == pytest.approx(0.04)
    assert [gap.run for gap in report.gaps] == ["method=gkd,ema=on,seed=2"]
    assert "| gkd | on | 1/2 |" in markdown(report)


def test_a_later_attempt_counts_and_lost_steps_cost(client, plan, database):
    plan |= {"factors": {}, "seeds": [1]}
    (cell,) = create(client, plan)["cells"]
    lost = claim(database, cell["id"])
    report(database, lost.attempt_id, metrics(0, 0.1), metrics(1, 0.2), metrics(2, 0.9))
    with database.write() as session:
        run = lifecycle.lock(session, cell["id"])
        run.status = RunStatus.QUEUED
    succeed(database, cell["id"], 0.3, None)
    with database.read() as session:
        study_id = session.get_one(Run, cell["id"]).study_id
    found = StudyReport.model_validate(client.get(f"/api/studies/{study_id}").json()["report"])
    assert found.cells[0].outcomes[SCORE].final.estimate is None
    assert found.gaps[0].reason == "not finite at the end"
    assert found.cost.tokens == 500


def test_cancelling_stops_what_is_not_over(client, plan, database):
    study = create(client, plan)
    ids = [cell["id"] for cell in study["cells"]]
    succeed(database, ids[0], 0.1, 0.2)
    claim(database, ids[1])
    stopped = client.post(f"/api/studies/{study['id']}/cancel").json()
    assert stopped["runs"] == {"succeeded": 1, "stopping": 1, "cancelled": 6}
    again = client.post(f"/api/studies/{study['id']}/cancel")
    assert again.json()["runs"] == stopped["runs"]
    with database.write() as session:
        lifecycle.finish(session, lifecycle.lock(session, ids[1]), RunStatus.STOPPED, None)
    over = client.post(f"/api/studies/{study['id']}/cancel")
    assert (over.status_code, over.json()["code"]) == (409, "conflict")


def test_unknown_studies(client):
    assert client.get("/api/studies/none").status_code == 404
    assert client.post("/api/studies/none/cancel").status_code == 404
