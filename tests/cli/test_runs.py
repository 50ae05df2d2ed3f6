"""`unisd runs`, `metrics`, `workers` and `queue` with a real server on both databases."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
import time

import pytest
import yaml
from typer.testing import CliRunner

from cli.main import app
from tests.app.checkpoint import write_model_folder
from tests.app.workers import register
from tests.live import serving
from tests.reporting import ReportingRun


@pytest.fixture(autouse=True)
def studio(settings, monkeypatch):
    """A real server, which the command line is told of as a person tells it."""
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_API_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("UNISD_ACTOR", "Ada")
        yield


@pytest.fixture
def file(tmp_path):
    data = tmp_path / "examples.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    model = write_model_folder(tmp_path / "model")
    config = {"model": {"name": str(model)}, "data": {"path": str(data)}}
    path = tmp_path / "run.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def unisd(*arguments, **more):
    return CliRunner().invoke(app, [*map(str, arguments)], **more)


def done(*arguments, **more):
    ended = unisd(*arguments, **more)
    assert ended.exit_code == 0, ended.output
    return ended


def read(*arguments):
    return json.loads(done(*arguments, "--json").stdout)


def test_what_is_started_can_be_found_changed_and_ended(file):
    started = done("runs", "start", file, "--name", "one", "--set", "training.seed=7")
    run_id = started.stdout.strip()
    assert len(run_id) == 12
    assert f"/runs/{run_id}" in started.stderr
    shown = read("runs", "show", "one")
    assert (shown["id"], shown["config"]["training"]["seed"]) == (run_id, 7)
    assert re.search(r"^status +queued$", done("runs", "show", run_id[:6]).stdout, re.MULTILINE)
    piped = done("runs", "start", "-", "--preset", "sft", "--json", input=file.read_text())
    assert json.loads(piped.stdout)["config"]["teacher"] is not None
    cloned = done("runs", "clone", "one", "--set", "model.lora.rank=4", "--name", "two").stdout
    assert read("runs", "show", cloned.strip())["config"]["model"]["lora"]["rank"] == 4
    listed = done("runs", "list", "--param", "training.seed", "--sort", "name")
    assert listed.stdout.splitlines()[0].split()[:3] == ["ID", "STATUS", "PROGRESS"]
    assert [one["name"] for one in read("runs", "list", "--name", "two")] == ["two"]
    assert read("runs", "list", "--status", "running") == []
    assert done("runs", "list", "--status", "running").stdout == ""
    done("runs", "tag", "one", "two", "--add", "paper", "--add", "draft")
    done("runs", "tag", "two", "--remove", "paper")
    assert [one["name"] for one in read("runs", "list", "--filter", "tag=paper")] == ["one"]
    refused = unisd("runs", "list", "--filter", "nothing=1")
    assert (refused.exit_code, "nothing" in refused.stderr) == (2, True)
    cancelled = done("runs", "cancel", "one", "two")
    assert [line.split()[1] for line in cancelled.stdout.splitlines()] == ["cancelled"] * 2
    kept = unisd("runs", "delete", "one", input="n\n")
    assert (kept.exit_code, "Delete “one”" in kept.stderr) == (1, True)
    done("runs", "delete", "one", "two", "--yes")
    assert unisd("runs", "show", "one").exit_code == 2


def test_mistakes_are_told_with_their_field_and_change_nothing(file):
    refused = unisd("runs", "start", file, "--set", "training.max_step=3")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "training.max_step: There is no field" in refused.stderr
    assert "max_steps" in refused.stderr
    checked = unisd("runs", "start", file, "--dry-run", "--set", "data.path=/nowhere.jsonl")
    assert (checked.exit_code, "data.path" in checked.stderr) == (1, True)
    assert "It can run" in done("runs", "start", file, "--dry-run").stderr
    assert read("runs", "start", file, "--dry-run")["valid"]
    assert unisd("runs", "start", "/nowhere.yaml").exit_code == 2
    assert unisd("runs", "start", file, "--set", "training").exit_code == 2
    assert unisd("runs", "start", file, "--set", "a=1", "--set", "a.b=1").exit_code == 2
    assert read("runs", "list") == []
    done("runs", "start", file, "--name", "same")
    done("runs", "start", file, "--name", "same")
    several = unisd("runs", "cancel", "same")
    assert (several.exit_code, several.stdout) == (2, "")
    assert "may be each of" in several.stderr
    # One name that is not there, and nothing is done to the others.
    first = read("runs", "list")[0]["id"]
    assert unisd("runs", "cancel", first, "nobody").exit_code == 2
    assert {run["status"] for run in read("runs", "list")} == {"queued"}
    assert unisd("runs", "resume", "a", "b", "--follow").exit_code == 2


def test_a_run_is_watched_to_its_end(database):
    run = ReportingRun(database)
    run.write(2)
    seen = []
    thread = threading.Thread(target=lambda: seen.append(unisd("runs", "watch", "live", "--all")))
    thread.start()
    time.sleep(0.5)
    run.report(1, padding=20)
    run.finish()
    thread.join(30)
    (watched,) = seen
    assert watched.exit_code == 1  # it failed
    assert "step 0/1000000  loss 1" in watched.stdout
    assert "info: " + 20 * "x" in watched.stdout
    assert f"live ({run.id}) failed" in watched.stderr
    events = unisd("runs", "watch", run.id, "--all", "--json").stdout.splitlines()
    assert [json.loads(line)["cursor"] for line in events] == run.cursors()
    assert done("runs", "logs", "live").stdout == 20 * "x" + "\n"
    assert done("runs", "logs", "live", "-n", 0, "--follow", "--grep", "y").stdout == ""
    assert json.loads(done("runs", "logs", "live", "--json").stdout)["message"] == 20 * "x"
    assert unisd("runs", "stop", "live").exit_code == 2


def test_metrics_are_a_table_or_all_points(database):
    run = ReportingRun(database)
    run.write(30)
    assert "train/loss      30    29  0.03333  0.03333    1\n" in done("metrics", "live").stdout
    rows = list(csv.DictReader(io.StringIO(done("metrics", "live", "--csv").stdout)))
    assert [int(row["step"]) for row in rows] == list(range(30))
    assert float(rows[9]["train/loss"]) == pytest.approx(0.1)
    wanted = ("metrics", run.id, "train/loss", "--csv", "--x", "relative", "--x", "tokens")
    lines = done(*wanted).stdout.splitlines()
    assert lines[0] == "relative,tokens,train/loss"
    assert lines[1] == "0.0,,1.0"
    assert read("metrics", "live")["items"][0]["points"] == 30
    refused = unisd("metrics", "live", "train/los")
    assert (refused.exit_code, "train/los" in refused.stderr) == (2, True)


def test_workers_are_drained_and_queues_paused(file, database):
    with database.write() as session:
        worker = register(session, "gpu-box", gpus=1)
    assert read("workers", "list")[0]["id"] == worker
    assert "gpu-box" in done("workers", "list").stdout
    assert "draining" in done("workers", "drain", "gpu-box", "--reason", "driver").stdout
    shown = done("workers", "show", worker[:8]).stdout
    assert "draining by Ada" in shown
    assert "driver" in shown
    assert read("workers", "quarantine", "gpu-box")["mode"] == "quarantined"
    assert read("workers", "resume", "gpu-box")["mode"] == "active"
    assert unisd("workers", "drain", "nobody").exit_code == 2
    for name in ("a", "b"):
        done("runs", "start", file, "--name", name)
    done("queue", "move", "b", "--before", "a")
    done("queue", "pause", "gpu")
    waiting = read("queue", "show", "gpu")[0]
    assert [one["run"]["name"] for one in waiting["runs"]] == ["b", "a"]
    assert "gpu: 2 waiting (paused by Ada)" in done("queue", "show").stdout
    done("queue", "priority", "a", 10)
    done("queue", "resume", "gpu")
    assert read("queue", "show", "gpu")[0]["runs"][0]["run"]["name"] == "a"
