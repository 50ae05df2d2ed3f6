"""`unisd study` and an installation: what is sent where, and what is told of the answer."""

from __future__ import annotations

import json

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from tests.app.checkpoint import write_model_folder
from tests.live import serving


@pytest.fixture
def served(settings, monkeypatch):
    """A real server, which the command line is told of as a person tells it; yields its address."""
    with serving(settings) as port:
        address = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("UNISD_API_URL", address)
        yield address


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


def test_a_plan_is_queued_shown_and_cancelled(served, plan):
    queued = study(plan)
    assert queued.exit_code == 0, queued.output
    identifier = queued.stdout.strip()
    assert f"{served}/studies/{identifier}" in queued.stderr
    shown = study("show", identifier)
    assert shown.output.startswith("# Means\n")
    assert "| on | 0/1 |" in shown.output
    assert json.loads(study("show", identifier, "--json").output)["cells"][0]["states"] == {
        "queued": 1
    }
    assert json.loads(study("list", "--json").stdout)[0]["id"] == identifier
    assert "2 queued" in study("list").stdout
    assert "2 cancelled" in study("cancel", "Means").stdout
    again = study("cancel", "Means")
    assert (again.exit_code, "All runs of the study are over" in again.stderr) == (2, True)


def test_a_study_is_found_cancelled_taken_up_and_removed(served, plan):
    identifier = study(plan).stdout.strip()
    (listed,) = study("list", "mea").stdout.splitlines()[1:]
    assert listed.split()[:2] == [identifier, "waiting"]
    assert study("list", "other").output == ""
    assert "2 cancelled" in study("cancel", identifier).stdout
    nothing = study("resume", identifier, "--failed")
    assert (nothing.exit_code, "No run of the study" in nothing.output) == (2, True)
    assert "2 queued" in study("resume", identifier).stdout
    assert study("delete", identifier).exit_code == 2  # what becomes of its runs must be said
    assert study("delete", identifier, "--runs", "keep").exit_code == 0
    assert study("show", identifier).exit_code == 2


def test_the_apis_mistakes_are_told_like_others(served, plan):
    raw = yaml.safe_load(plan.read_text())
    raw["factors"]["ema"]["off"] = {"data": {"path": "/nowhere.jsonl"}}
    plan.write_text(yaml.safe_dump(raw))
    refused = study(plan)
    assert refused.exit_code == 2
    assert "factors.ema.off.data.path" in refused.output
    missing = study("show", "none/of that")
    assert (missing.exit_code, "There is no" in missing.output) == (2, True)


def test_this_machines_installation_is_asked_if_no_other_is_named(settings, plan, monkeypatch):
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_HOST", "0.0.0.0")
        monkeypatch.setenv("UNISD_PORT", str(port))
        assert study("list").exit_code == 0


def test_an_installation_that_does_not_answer_is_named(plan, monkeypatch):
    monkeypatch.setenv("UNISD_API_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("app.client.transport.Patience.pause", lambda *_: 0.0)
    refused = study(plan)
    assert refused.exit_code == 3
    assert "http://127.0.0.1:9 cannot be asked" in refused.stderr
    assert "unisd up" in refused.stderr
