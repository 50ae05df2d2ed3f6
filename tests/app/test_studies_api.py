from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app import notify
from app.models import Project, Run, Study
from app.runs import lifecycle
from app.studies.markdown import markdown
from app.studies.report import StudyReport
from core.states import RunStatus
from tests.app.studies import SCORE, claim, create, fail, metrics, report, succeed


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


def test_without_a_project_a_study_is_where_runs_are_and_finds_their_data(client, config):
    rows = b'{"question": "What is 1 + 1?", "answer": "2"}\n' * 3
    asked = {"name": "sums", "file_name": "sums.jsonl"}
    client.post("/api/datasets/upload", params=asked, content=rows).raise_for_status()
    base = {**config, "data": {"dataset": "sums@1"}}
    study = create(client, {"name": "One cell", "base": base})
    alone = client.post("/api/runs", json={"config": base}).json()
    assert study["project_id"] == alone["project_id"]
    elsewhere = client.post("/api/studies", json={"name": "O", "project": "P", "base": base})
    assert elsewhere.json()["errors"][0]["code"] == "dataset_unknown"


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
        ({"factors": {"a b": {"x": {}}}}, "letters, digits"),
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


def resumed(client, study_id: str, **wish: Any) -> dict[str, Any]:
    answer = client.post(f"/api/studies/{study_id}/resume", json=wish)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_what_failed_is_tried_again_and_what_was_cancelled_gets_a_new_run(client, plan, database):
    study = create(client, plan)
    ids = [cell["id"] for cell in study["cells"]]
    succeed(database, ids[0], 0.1, 0.2)
    fail(database, ids[1], "The loss is not finite.")
    client.post(f"/api/studies/{study['id']}/cancel")
    with_gaps = client.get(f"/api/studies/{study['id']}").json()
    assert with_gaps["state"] == "incomplete"
    assert with_gaps["report"]["gaps"][0]["reason"] == "failed: The loss is not finite."

    again = resumed(client, study["id"], what="failed")
    assert again["runs"] == {"succeeded": 1, "queued": 1, "cancelled": 6}
    one = resumed(client, study["id"], runs=[ids[2]])
    assert one["runs"] == {"succeeded": 1, "queued": 2, "cancelled": 5}
    assert client.delete(f"/api/runs/{ids[3]}").status_code == 202
    deleted = client.get(f"/api/studies/{study['id']}").json()
    assert len(deleted["cells"]) == 7
    assert {"deleted"} == {
        gap["reason"] for gap in deleted["report"]["gaps"] if gap["run_id"] is None
    }
    whole = resumed(client, study["id"])
    assert whole["runs"] == {"succeeded": 1, "queued": 7}
    assert [cell["name"] for cell in whole["cells"]] == [cell["name"] for cell in study["cells"]]
    kept = {cell["id"] for cell in whole["cells"]} & set(ids)
    assert kept == {ids[0], ids[1]}
    nothing = client.post(f"/api/studies/{study['id']}/resume")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "conflict")
    config = client.get(f"/api/runs/{whole['cells'][7]['id']}").json()["config"]
    assert (config["training"]["seed"], config["teacher"]["weights"]) == (2, "ema")


def test_a_cell_that_cannot_run_any_more_is_told_before_anything_is_queued(client, plan):
    study = create(client, plan)
    client.post(f"/api/studies/{study['id']}/cancel")
    Path(plan["base"]["data"]["path"]).unlink()
    refused = client.post(f"/api/studies/{study['id']}/resume")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "base.data.path"
    assert client.get(f"/api/studies/{study['id']}").json()["runs"] == {"cancelled": 8}


def test_a_deleted_study_leaves_its_runs_or_takes_them_along(client, plan, database):
    kept, gone = create(client, plan), create(client, plan)
    assert client.delete(f"/api/studies/{kept['id']}").status_code == 422
    path = f"/api/studies/{kept['id']}"
    assert client.delete(path, params={"runs": "keep"}).status_code == 202
    assert client.get(path).status_code == 404
    assert client.get(f"/api/runs/{kept['cells'][0]['id']}").json()["status"] == "queued"

    claim(database, gone["cells"][0]["id"])
    path = f"/api/studies/{gone['id']}"
    busy = client.delete(path, params={"runs": "delete"})
    assert busy.status_code == 409
    assert "One run of it is under way" in busy.json()["detail"]
    with database.write() as session:
        run = lifecycle.lock(session, gone["cells"][0]["id"])
        lifecycle.finish(session, run, RunStatus.FAILED, None)
    assert client.delete(path, params={"runs": "delete"}).status_code == 202
    assert client.get(path).status_code == 404
    assert client.get(f"/api/runs/{gone['cells'][0]['id']}").status_code == 404
    assert client.get("/api/runs").json()["total"] == 8


def test_the_list_says_how_far_studies_are_and_finds_them_by_name(client, plan, database):
    study = create(client, plan)
    create(client, plan | {"name": "Another 100 % question"})
    attempt = claim(database, study["cells"][0]["id"]).attempt_id
    report(database, attempt, {"kind": "phase", "phase": "training"}, metrics(1, 0.1))
    succeed(database, study["cells"][1]["id"], 0.1, 0.2)
    (found,) = client.get("/api/studies", params={"q": "does it"}).json()["items"]
    assert found["state"] == "running"
    assert found["progress"] == pytest.approx((1 + 0.5) / 8)
    assert (found["combinations"], found["seeds"]) == (4, 2)
    assert found["factors"] == {"method": ["sdft", "gkd"], "ema": ["off", "on"]}
    assert found["baselines"] == {"method": "sdft", "ema": "off"}
    assert found["cost"]["tokens"] == 300
    assert found["cost"]["device_seconds"] > 0
    (other,) = client.get("/api/studies", params={"q": "100 %"}).json()["items"]
    assert (other["state"], other["progress"], other["cost"]["seconds"]) == ("waiting", 0, None)
    assert client.get("/api/studies", params={"q": "10% q"}).json()["total"] == 0


PLAN = """\
name: Lines
base:
  model: {{name: {model}}}
  data: {{path: {data}}}
factors:
  ema:
    off: {{}}
    on:
      teacher:
        {field}: ema
seeds: [1, 2]
"""


def test_a_written_plan_is_checked_with_the_line_of_each_mistake(client, config, database):
    names = {"model": config["model"]["name"], "data": config["data"]["path"]}

    def check(text: str) -> dict[str, Any]:
        answer = client.post("/api/studies/check", json={"text": text})
        assert answer.status_code == 200, answer.text
        return answer.json()

    good = check(PLAN.format(**names, field="weights"))
    assert (good["errors"], good["combinations"], good["runs"]) == ([], 2, 4)
    assert client.post("/api/studies", json=good["plan"]).status_code == 201
    (typo,) = check(PLAN.format(**names, field="weigths"))["errors"]
    assert (typo["line"], typo["field"]) == (10, "factors.ema.on.teacher.weigths")
    (lost,) = check(PLAN.format(**names | {"data": "/nowhere"}, field="weights"))["errors"]
    assert (lost["line"], lost["field"]) == (4, "base.data.path")
    (seeds,) = check(PLAN.format(**names, field="weights") + "sedes: 1")["errors"]
    assert (seeds["line"], seeds["code"]) == (12, "study_invalid")
    (broken,) = check("name: a\nbase: [\n")["errors"]
    assert (broken["line"], broken["code"]) == (3, "study_unreadable")
    for text in ("", "- 1", "a: &a [*a, *a]", "[" * 5000, "a: 2020-99-99"):
        assert check(text)["errors"][0]["code"] == "study_unreadable"
    with database.read() as session:
        assert session.execute(select(func.count(Study.id))).scalar_one() == 1


def test_unknown_studies(client):
    assert client.get("/api/studies/none").status_code == 404
    assert client.get("/api/studies/none/table").status_code == 404
    assert client.get("/api/studies/none/files/report.md").status_code == 404
    assert client.post("/api/studies/none/cancel").status_code == 404
    assert client.post("/api/studies/none/resume").status_code == 404
    assert client.delete("/api/studies/none", params={"runs": "keep"}).status_code == 404
