"""The client against a real server, on both databases."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from app.client import Client, ConflictError, InvalidError, NotFoundError, UnauthorizedError
from app.settings import Settings
from core.config import RunConfig
from tests.app.client.conftest import QUICK
from tests.live import serving
from tests.reporting import ReportingRun

TOKEN = "a token that is long enough to be one"


def test_it_needs_neither_server_libraries_nor_torch():
    heavy = ["torch", "sqlalchemy", "fastapi", "celery", "redis", "scipy", "pyarrow", "starlette"]
    code = f"import sys; from app.client import Client; print(set({heavy}) & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "set()"


def test_a_token_is_taken_from_the_environment(settings, monkeypatch):
    monkeypatch.setenv("UNISD_TOKEN", TOKEN)
    with serving(Settings()) as port:
        monkeypatch.setenv("UNISD_API_URL", f"127.0.0.1:{port}/")
        with Client(patience=QUICK) as studio:
            assert list(studio.runs.list()) == []
        with Client(token="another token", patience=QUICK) as studio:
            with pytest.raises(UnauthorizedError) as caught:
                list(studio.runs.list())
            assert "token" in str(caught.value)


def test_runs_are_started_found_steered_cloned_and_deleted(studio, config):
    assert studio.runs.check(config).valid
    schedule = {"priority": 3, "labels": ["a100"], "max_attempts": 2}
    run = studio.runs.start(config, name="A run", schedule=schedule)
    assert (run.status, run.config.data.path) == ("queued", config["data"]["path"])
    assert studio.runs.transitions(run.id)[0].actor == "Ada"
    other = studio.runs.start(RunConfig.model_validate(config))
    assert [one.id for one in studio.runs.list()] == [other.id, run.id]
    assert [one.id for one in studio.runs.list(text="A run", most=1)] == [run.id]
    assert studio.runs.count() == 2
    for reference in ("A run", run.id, run.id[:11]):
        assert studio.runs.find(reference).id == run.id
    clone = studio.runs.clone(run.id, {"training": {"seed": 7}}, name="A run")
    assert clone.config.training.seed == 7
    assert clone.config.model == run.config.model
    assert (clone.priority, clone.labels, clone.max_attempts) == (3, ["a100"], 2)
    with pytest.raises(ConflictError) as caught:
        studio.runs.find("A run")
    assert {run.id, clone.id} <= set(str(caught.value).replace(",", "").split())
    for reference in ("No run", "", "zzzz", "x/../y"):
        with pytest.raises(NotFoundError):
            studio.runs.find(reference)
    assert studio.runs.change(clone.id, name="renamed", priority=5).priority == 5
    with pytest.raises(ConflictError):
        studio.runs.cancel(clone.id, version=clone.version)
    assert studio.runs.move(other.id, before=run.id).waiting is not None
    assert studio.runs.cancel(clone.id).status == "cancelled"
    ended, refused = studio.runs.end([other.id, "gone"])
    assert (ended.problem, studio.runs.get(other.id).status) == (None, "cancelled")
    assert refused.problem is not None
    studio.runs.delete(clone.id)
    with pytest.raises(NotFoundError):
        studio.runs.get(clone.id)


def test_mistakes_name_their_field(studio, config):
    with pytest.raises(InvalidError) as caught:
        studio.runs.start({**config, "training": {"max_step": 3}, "model": {"name": "/nowhere"}})
    assert caught.value.problem.field == "training.max_step"
    with pytest.raises(InvalidError) as caught:
        studio.runs.start({**config, "preset": "sdf"})
    assert "sdft" in caught.value.remedy


def test_a_request_that_comes_often_makes_a_run_once(studio, port, config, settings):
    del settings
    body = {"config": config, "name": "once"}

    def send(key, body=body, path="runs"):
        url = f"http://127.0.0.1:{port}/api/{path}"
        return httpx2.post(url, json=body, headers={"Idempotency-Key": key}, timeout=30)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, ["a-random-key"] * 6))
    assert {answer.status_code for answer in answers} == {201}, [one.text for one in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert studio.runs.count() == 1
    other = send("a-random-key", {**body, "name": "twice"})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    refused = send("another-key", {**body, "config": {**config, "model": {"name": "/no"}}})
    assert refused.status_code == 422
    # What made nothing leaves no trace: mended, it may come with the same key.
    assert send("another-key").status_code == 201
    assert send("short").status_code == 422
    plan = {"name": "S", "base": config, "factors": {"f": {"a": {}}}}
    studies = [send("study-key", plan, "studies").json()["id"] for _ in range(2)]
    assert studies[0] == studies[1]
    assert len(list(studio.studies.list())) == 1
    assert studio.studies.find("S").id == studies[0]


def test_every_point_is_had_and_spikes_stay(studio, database, monkeypatch):
    monkeypatch.setattr("app.client.history._MOST", 50)
    run = ReportingRun(database)
    for _ in range(4):
        run.write(60)
    thinned = studio.runs.metrics(run.id, "train/loss", max_points=50).items[0]
    assert len(thinned.steps) < thinned.points == 240
    whole = studio.runs.history(run.id).items[0]
    assert whole.steps == list(range(240))
    assert whole.values == pytest.approx([1 / (1 + step) for step in range(240)])
    assert studio.runs.history(run.id, "no/such").items == []


def test_a_run_is_followed_over_a_restart_of_the_studio(settings, database):
    run = ReportingRun(database)
    run.write(5)
    seen = []
    with serving(settings) as port:
        studio = Client(f"http://127.0.0.1:{port}", patience=QUICK)
        events = studio.runs.events(run.id)
        seen += [next(events).cursor for _ in run.cursors()]
    thread = threading.Thread(target=lambda: seen.extend(event.cursor for event in events))
    thread.start()
    time.sleep(0.3)  # it finds nobody
    run.report(3, padding=10)
    with serving(settings, port):
        run.report(2)
        run.finish()
        thread.join(30)
        assert not thread.is_alive()
        assert seen == run.cursors()
        assert studio.runs.wait(run.id).status == "failed"
        assert [line.message for line in studio.runs.follow_logs(run.id)] == ["x" * 10] * 3
        with pytest.raises(InvalidError) as caught:
            next(studio.runs.events(run.id, after=10**6))
        assert caught.value.code == "cursor_ahead"
        with pytest.raises(NotFoundError):
            next(studio.runs.events("none"))
    studio.close()
