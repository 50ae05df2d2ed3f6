from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from app import notify
from app.db import Database
from app.models import Project, Run, RunEvent, Worker
from app.runs import lifecycle
from app.runs.ingest import ingest
from app.settings import Settings
from core.config import RunConfig
from core.data_config import DataConfig
from core.prompts import teacher_messages
from core.records import read_records
from core.states import RunStatus


def _create(client: TestClient, config: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = client.post("/api/runs", json={"config": config, **more})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


def _claim(database: Database, run_id: str) -> lifecycle.Claim:
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        session.add(worker)
        session.flush()
        claim = lifecycle.claim(
            session, run_id, worker_id=worker.id, hostname="h", directory="/d/{number}", lease=30
        )
    assert claim is not None
    return claim


def _report(database: Database, claim: lifecycle.Claim, *events: dict[str, Any]) -> None:
    lines = [
        json.dumps({"seq": seq, "time": 1000.0 + seq, **event}).encode()
        for seq, event in enumerate(events)
    ]
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, lines, 10)


def _metrics(step: int, loss: float | None) -> dict[str, Any]:
    values = {"train/loss": loss, "time/step": 2.0}
    return {"kind": "metrics", "step": step, "total_steps": 10, "epoch": 0.1, "values": values}


TRAINING = {"kind": "phase", "phase": "training", "current": 0, "total": 10}


def test_a_new_run_is_queued_and_its_task_sent(client: TestClient, config: dict[str, Any]) -> None:
    tasks = notify.queue_length("gpu")
    run = _create(client, config, name=" first ")
    assert (run["status"], run["name"], run["attempt"]) == ("queued", "first", 0)
    assert run["progress"] == {
        "step": 0,
        "total_steps": None,
        "phase_current": None,
        "phase_total": None,
        "eta_seconds": None,
    }
    assert run["last_loss"] is None
    assert run["config"]["training"]["learning_rate"] == 2e-5
    assert run["warnings"] == []
    assert notify.queue_length("gpu") == tasks + 1
    assert client.get(f"/api/runs/{run['id']}").json()["id"] == run["id"]


def test_lists_page_filter_search_and_sort(client: TestClient, config: dict[str, Any]) -> None:
    for name in ("beta", "alpha", "gamma 100%", "delta_x"):
        _create(client, config, name=name)
    page = client.get("/api/runs", params={"sort": "name", "limit": 2, "offset": 1}).json()
    assert [run["name"] for run in page["items"]] == ["beta", "delta_x"]
    assert (page["total"], page["limit"], page["offset"]) == (4, 2, 1)
    newest = client.get("/api/runs").json()["items"]
    assert [run["name"] for run in newest] == ["delta_x", "gamma 100%", "alpha", "beta"]
    found = client.get("/api/runs", params={"q": "100%"}).json()["items"]
    assert [run["name"] for run in found] == ["gamma 100%"]
    assert client.get("/api/runs", params={"q": "ta_"}).json()["total"] == 1
    assert client.get("/api/runs", params={"status": ["queued", "failed"]}).json()["total"] == 4
    assert client.get("/api/runs", params={"status": "running"}).json()["total"] == 0
    answer = client.get("/api/runs", params={"sort": "colour", "limit": 0})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"sort", "limit"}


def test_a_run_can_execute_an_experiment(client: TestClient, config: dict[str, Any]) -> None:
    project = client.post("/api/projects", json={"name": "Science"}).json()
    body = {"project_id": project["id"], "name": "E", "config": config}
    experiment = client.post("/api/experiments", json=body).json()
    run = client.post("/api/runs", json={"experiment_id": experiment["id"]}).json()
    assert run["project_id"] == project["id"]
    assert run["config"] == experiment["config"]
    listed = client.get("/api/runs", params={"experiment_id": experiment["id"]}).json()
    assert listed["total"] == 1
    assert client.get("/api/projects").json()["items"][0]["run_count"] == 1
    assert client.post("/api/experiments", json=body).status_code == 409
    assert client.post("/api/projects", json={"name": "Science"}).status_code == 409


@pytest.mark.parametrize("path", ["/api/runs", "/api/runs/validate"])
def test_what_is_wrong_is_named_and_nothing_is_stored(
    client: TestClient, config: dict[str, Any], database: Database, tmp_path: Path, path: str
) -> None:
    data = Path(config["data"]["path"])
    lines = data.read_text().splitlines()
    lines[36] = '{"question": "broken'
    data.write_text("\n".join(lines))
    bad = config | {"model": {"name": str(tmp_path / "nowhere")}}
    answer = client.post(path, json={"config": bad, "name": "new"})
    errors = answer.json()["errors"]
    assert {(error["code"], error["field"]) for error in errors} == {
        ("model_not_found", "model.name"),
        ("data_invalid", "data.path"),
    }
    assert [error["line"] for error in errors if error["code"] == "data_invalid"] == [37]
    assert all(error["remedy"] for error in errors)
    if path == "/api/runs":
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
    with database.read() as session:
        for table in (Run, RunEvent, Project):
            assert session.execute(select(func.count()).select_from(table)).scalar_one() == 0


def test_an_unknown_field_is_answered_with_the_right_one(
    client: TestClient, config: dict[str, Any]
) -> None:
    bad = config | {"training": {"learning_rte": 1e-4}, "objective": {"alpha": 3}}
    answer = client.post("/api/runs", json={"config": bad})
    assert answer.status_code == 422
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert "learning_rate" in errors["training.learning_rte"]["remedy"]
    assert "1" in errors["objective.alpha"]["message"]


def test_prompts_that_do_not_fit(client: TestClient, config: dict[str, Any]) -> None:
    data = Path(config["data"]["path"])
    with data.open("a") as file:
        file.write(json.dumps({"question": "x" * 2000, "answer": "y"}) + "\n")
    run = _create(client, config)
    (warning,) = run["warnings"]
    assert (warning["code"], warning["line"]) == ("prompt_too_long", 41)
    assert "1 of 41" in warning["message"]
    assert "max_prompt_length" in warning["remedy"]
    tight = config | {"generation": {"max_prompt_length": 8}}
    answer = client.post("/api/runs", json={"config": tight})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["code"], error["field"]) == ("prompt_too_long", "generation.max_prompt_length")


def test_prompts_are_counted_as_the_format_and_the_order_of_the_answer_make_them(
    client: TestClient, config: dict[str, Any], tmp_path: Path
) -> None:
    data = tmp_path / "science.jsonl"
    row = {"question": "Which?", "hint": "", "choices": ["one", "two"], "answer": 1}
    data.write_text(json.dumps({**row, "solution": "x" * 600}) + "\n")
    science = {"path": str(data), "format": "scienceqa"}
    wanted = {"model": config["model"], "data": science, "generation": {"max_prompt_length": 8}}
    needed = []
    for answer_first in (False, True):
        wanted["data"] = {**science, "answer_first": answer_first}
        answer = client.post("/api/runs/validate", json={"config": wanted})
        (error,) = answer.json()["errors"]
        assert error["code"] == "prompt_too_long"
        record = next(read_records(DataConfig.model_validate(wanted["data"])))
        whole = RunConfig.model_validate(wanted)
        (message,) = teacher_messages(record, whole)
        length = len(f"<user>{message['content']}</end><assistant>".encode())
        assert f"at least {length}," in error["remedy"]
        needed.append(length)
    assert needed[0] != needed[1]


def test_a_disk_that_cannot_be_written(
    client: TestClient, config: dict[str, Any], settings: Settings, database: Database
) -> None:
    settings.home.mkdir(exist_ok=True)
    settings.runs_directory.write_text("a file where the folder should be")
    answer = client.post("/api/runs", json={"config": config})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["code"] == "storage_unwritable"
    assert str(settings.runs_directory) in error["message"]
    assert "UNISD_HOME" in error["remedy"]
    with database.read() as session:
        assert session.scalars(select(Run)).all() == []


def test_stop_and_cancel_each_at_their_time(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    refused = client.post(f"/api/runs/{run_id}/stop")
    assert refused.status_code == 409
    assert "Cancel" in refused.json()["remedy"]
    _claim(database, run_id)
    assert client.post(f"/api/runs/{run_id}/cancel").status_code == 409
    for _ in range(2):  # asking again changes nothing
        assert client.post(f"/api/runs/{run_id}/stop").json()["status"] == "stopping"
    other = _create(client, config)["id"]
    assert client.post(f"/api/runs/{other}/cancel").json()["status"] == "cancelled"
    assert client.post(f"/api/runs/{other}/cancel").status_code == 409
    assert client.post("/api/runs/unknown/stop").status_code == 404


def test_series_progress_and_sparkline(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    assert client.get(f"/api/runs/{run_id}/metrics").json()["items"] == []
    losses: list[float | None] = [5.0, None, 3.0]
    metrics = [_metrics(step, loss) for step, loss in enumerate(losses, start=1)]
    _report(database, _claim(database, run_id), TRAINING, *metrics)
    answer = client.get(f"/api/runs/{run_id}/metrics", params={"name": "train/loss"}).json()
    (series,) = answer["items"]
    assert (series["steps"], series["values"], series["points"]) == ([1, 2, 3], losses, 3)
    assert answer["attempt"] == 1
    run = client.get(f"/api/runs/{run_id}").json()
    assert answer["cursor"] == run["cursor"]
    assert run["progress"]["eta_seconds"] == pytest.approx(7 * 2.0)
    assert run["metric_names"] == ["time/step", "train/loss"]
    listed = client.get("/api/runs").json()["items"][0]
    assert listed["sparkline"] == losses
    assert listed["last_loss"] == 3.0
    assert client.get(f"/api/runs/{run_id}/metrics", params={"attempt": 2}).status_code == 404


def test_logs_lead_back_by_cursor(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    lines = [{"kind": "log", "message": f"line {n}", "level": "info"} for n in range(7)]
    _report(database, _claim(database, run_id), *lines)
    page = client.get(f"/api/runs/{run_id}/logs", params={"limit": 3}).json()
    assert [line["message"] for line in page["items"]] == ["line 4", "line 5", "line 6"]
    assert page["total"] == 7
    before = {"limit": 3, "before": page["items"][0]["cursor"]}
    page = client.get(f"/api/runs/{run_id}/logs", params=before).json()
    assert [line["message"] for line in page["items"]] == ["line 1", "line 2", "line 3"]
    found = client.get(f"/api/runs/{run_id}/logs", params={"q": "LINE 5"}).json()
    assert [line["message"] for line in found["items"]] == ["line 5"]


def test_alarms_are_told_latest_first_and_reach_the_stream(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    assert client.get(f"/api/runs/{run_id}").json()["alarms"] == []
    told = {"kind": "alarm", "code": "everything_clipped", "message": "All.", "remedy": "Less."}
    alarms = [{**told, "step": step} for step in range(1, 104)]
    alarms[-1]["severity"] = "error"
    claim = _claim(database, run_id)
    _report(database, claim, TRAINING, {"kind": "log", "message": "a line"}, *alarms)
    run = client.get(f"/api/runs/{run_id}").json()
    assert run["alarm_count"] == 103
    assert [alarm["step"] for alarm in run["alarms"]] == list(range(103, 3, -1))
    latest = run["alarms"][0]
    assert (latest["severity"], latest["attempt"], latest["remedy"]) == ("error", 1, "Less.")
    assert run["alarms"][1]["severity"] == "warning"
    assert client.get(f"/api/runs/{run_id}/logs").json()["total"] == 1
    with database.write() as session:
        lifecycle.finish(session, lifecycle.lock(session, run_id), RunStatus.FAILED, None)
    events = _stream(client, f"/api/runs/{run_id}/events?after={latest['cursor'] - 1}")
    assert events[0]["event"] == "alarm"
    assert events[0]["data"]["payload"]["message"] == "All."


def test_artifacts_come_in_the_order_in_which_they_were_written(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    written = [
        {"kind": "artifact", "artifact": name, "path": name, "bytes": 7, "sha256": "0" * 64}
        for name in ("adapter", "ema_adapter")
    ]
    _report(database, _claim(database, run_id), *written)
    artifacts = client.get(f"/api/runs/{run_id}").json()["artifacts"]
    assert [artifact["kind"] for artifact in artifacts] == ["adapter", "ema_adapter"]
    assert artifacts[1]["directory"] == "/d/1/ema_adapter"


def _stream(client: TestClient, url: str, **headers: str) -> list[dict[str, Any]]:
    events = []
    with client.stream("GET", url, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields.get("event"):
                events.append({**fields, "data": json.loads(fields["data"])})
                fields = {}
            else:
                fields = {}
    return events


def test_events_are_replayed_from_any_cursor(
    client: TestClient, config: dict[str, Any], database: Database
) -> None:
    run_id = _create(client, config)["id"]
    claim = _claim(database, run_id)
    _report(database, claim, TRAINING, *(_metrics(step, 1.0) for step in range(1, 6)))
    with database.write() as session:
        lifecycle.finish(session, lifecycle.lock(session, run_id), RunStatus.FAILED, None)
    url = f"/api/runs/{run_id}/events"
    events = _stream(client, url)
    assert events[-1]["event"] == "end"
    kinds = [event["event"] for event in events[:-1]]
    assert kinds[:4] == ["status", "status", "phase", "metrics"]
    assert kinds.count("metrics") == 5
    ids = [int(event["id"]) for event in events[:-1]]
    assert ids == list(range(1, len(ids) + 1))
    assert [event["data"]["cursor"] for event in events[:-1]] == ids
    assert events[-2]["data"]["payload"]["status"] == "failed"
    for seen in ids:
        rest = [*(str(number) for number in ids[seen:])]
        assert [e["id"] for e in _stream(client, f"{url}?after={seen}")[:-1]] == rest
        again = _stream(client, f"{url}?after=0", **{"Last-Event-ID": str(seen)})
        assert [event["id"] for event in again[:-1]] == rest
    assert client.get("/api/runs/unknown/events").status_code == 404
