"""`unisd compare`, `search`, `views` and `runs list --view` with a real server."""

from __future__ import annotations

import csv
import io
import json

import pytest
from typer.testing import CliRunner

from app.client import Client
from cli.main import app
from tests.app.compared import make_config, make_evaluation, make_run
from tests.live import serving


@pytest.fixture
def runs(settings, database, monkeypatch):
    with serving(settings) as port:
        monkeypatch.setenv("UNISD_API_URL", f"http://127.0.0.1:{port}")
        made = [
            make_run(database, "one", {2: {"m": 2.0, "other": 5.0}}, config=make_config(1)),
            make_run(database, "two", {2: {"m": 3.5}}, config=make_config(1, batch_size=1)),
        ]
        make_evaluation(database, made[0], "sums", [True, False, True, False])
        yield made


def unisd(*arguments):
    return CliRunner().invoke(app, [*map(str, arguments)])


def done(*arguments):
    ended = unisd(*arguments)
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_runs_are_compared_in_words_as_csv_and_as_json(runs):
    told = done("compare", "one", "two")
    lines = {line.split()[0]: line.split()[1:] for line in told.splitlines() if line}
    assert f"one: {runs[0]} (succeeded), the baseline" in told
    assert lines["m"] == ["2", "3.5", "(+1.5)"]
    assert lines["other"] == ["5", "–"]
    assert "training.batch_size" in lines
    assert "training.seed" not in lines
    assert lines["sums"][0] == "50.0%"
    against = done("compare", "two", "--baseline", runs[0][:8], "--metric", "m", "--csv")
    rows = list(csv.DictReader(io.StringIO(against)))
    assert [(row["runs"], row["value"], row["delta"]) for row in rows] == [
        (runs[0], "2.0", ""),
        (runs[1], "3.5", "1.5"),
    ]
    found = json.loads(done("compare", *runs, "--json"))
    assert found["baseline"] == runs[0]
    for wrong in (["one"], ["one", "one"], ["one", "two", "--metric", "nothing*"], ["one", "no"]):
        refused = unisd("compare", *wrong)
        assert (refused.exit_code, bool(refused.stderr.strip())) == (2, True)


def test_a_search_finds_and_a_saved_view_lists(runs):
    assert done("search", "tw").split()[-1] == "two"
    assert json.loads(done("search", "tw", "--json"))[0]["id"] == runs[1]
    with Client() as client:
        search = {"sort": "metric:m", "columns": "name;metric:m", "filter": "metric:m>1"}
        client.views.create("Best", search)
    assert "Best" in done("views", "list")
    assert "metric:m" in done("views", "show", "Best")
    shown = done("runs", "list", "--view", "Best")
    assert [line.split()[-1] for line in shown.splitlines()] == ["NAME", "one", "two"]
    assert "3.5" in shown
    narrow = done("runs", "list", "--view", "Best", "--filter", "metric:m<3", "--json")
    assert [row["name"] for row in json.loads(narrow)] == ["one"]
    other = done("runs", "list", "--view", "Best", "--sort", "-name", "--json")
    assert [row["name"] for row in json.loads(other)] == ["two", "one"]
    done("views", "delete", "Best", "--yes")
    assert unisd("runs", "list", "--view", "Best").exit_code == 2
