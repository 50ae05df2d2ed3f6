"""`unisd study` and an installation: what is sent where, and what is told of the answer."""

from __future__ import annotations

import json

import httpx2
import pytest
import yaml
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from app.main import create_app
from app.settings import Settings
from cli import api_client
from cli.main import app
from tests.app.checkpoint import write_model_folder

TOKEN = "a token that is long enough to be one"


@pytest.fixture
def asked(settings, monkeypatch):
    """Addresses that were asked; the application itself answers."""
    monkeypatch.setenv("UNISD_TOKEN", TOKEN)
    seen = []
    with TestClient(create_app(Settings()), base_url="http://127.0.0.1") as client:

        def request(method, url, *, json, headers, params, **_):
            seen.append(url)
            path = "/" + url.split("/", 3)[3]
            return client.request(method, path, params=params, json=json, headers=headers)

        monkeypatch.setattr(api_client.httpx2, "request", request)
        yield seen


@pytest.fixture
def plan(tmp_path):
    data = tmp_path / "examples.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = write_model_folder(tmp_path / "model")
    raw = {
        "name": "Means",
        "base": {"model": {"name": str(model)}, "data": {"path": str(data)}},
        "factors": {"ema": {"off": {}, "on": {"teacher": {"weights": "ema"}}}},
    }
    file = tmp_path / "plan.yaml"
    file.write_text(yaml.safe_dump(raw))
    return file


def study(*arguments):
    return CliRunner().invoke(app, ["study", *map(str, arguments)])


def test_a_plan_is_queued_and_shown(asked, plan, monkeypatch):
    monkeypatch.setenv("UNISD_PORT", "8123")
    queued = study(plan)
    assert queued.exit_code == 0, queued.output
    address = next(word for word in queued.output.split() if word.startswith("http"))
    assert address.startswith("http://127.0.0.1:8123/api/studies/")
    assert asked == ["http://127.0.0.1:8123/api/studies"]
    identifier = address.rsplit("/", 1)[1]
    shown = study("show", identifier)
    assert shown.output.startswith("# Means\n")
    assert "| on | 0/1 |" in shown.output
    assert json.loads(study("show", identifier, "--json").output)["cells"][0]["states"] == {
        "queued": 1
    }


def test_a_study_is_found_cancelled_taken_up_and_removed(asked, plan):
    identifier = study(plan).output.split("/api/studies/")[1].split()[0]
    listed = study("list", "mea").output
    assert listed.split(maxsplit=3) == [identifier, "waiting", "0/2", "runs  Means\n"]
    assert study("list", "other").output == ""
    assert study("cancel", identifier).output == "2 cancelled\n"
    nothing = study("resume", identifier, "--failed")
    assert (nothing.exit_code, "No run of the study" in nothing.output) == (2, True)
    assert study("resume", identifier).output == "2 queued\n"
    assert study("delete", identifier).exit_code == 2  # what becomes of its runs must be said
    assert study("delete", identifier, "--runs", "keep").exit_code == 0
    assert study("show", identifier).exit_code == 2


def test_the_apis_mistakes_are_told_like_others(asked, plan):
    raw = yaml.safe_load(plan.read_text())
    raw["factors"]["ema"]["off"] = {"data": {"path": "/nowhere.jsonl"}}
    plan.write_text(yaml.safe_dump(raw))
    refused = study(plan)
    assert refused.exit_code == 2
    assert "factors.ema.off.data.path" in refused.output
    missing = study("show", "none/of that")
    assert (missing.exit_code, "There is no" in missing.output) == (2, True)


def test_another_installation_may_be_named(asked, plan, monkeypatch):
    monkeypatch.setenv("UNISD_API_URL", "http://studio.example/")
    assert study(plan).exit_code == 0
    assert asked == ["http://studio.example/api/studies"]


def test_an_installation_that_does_not_answer_is_named(plan, monkeypatch, tmp_path):
    monkeypatch.setenv("UNISD_HOME", str(tmp_path))
    monkeypatch.setenv("UNISD_API_URL", "http://127.0.0.1:9")
    refused = study(plan)
    assert refused.exit_code == 2
    assert "http://127.0.0.1:9 cannot be asked" in refused.output
    assert "--out" in refused.output
    html = httpx2.Response(502, text="<html>")
    monkeypatch.setattr(api_client.httpx2, "request", lambda *_, **__: html)
    assert "502" in study(plan).output
