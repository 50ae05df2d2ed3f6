"""Lists of runs: order, filters, groups, CSV, tags, views, and wishes about many."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from tests.app.compared import make_config, make_run

_LOSS = "train/loss"


@pytest.fixture
def runs(database: Database) -> dict[str, str]:
    """Three runs that reported, one that never did; by name."""
    told = {"low": (1, 0.1, 1e-5), "high": (2, 0.9, 1e-4), "middle": (2, 0.5, 1e-5)}
    found = {
        name: make_run(
            database,
            name,
            {1: {_LOSS: 2.0 - loss}, 2: {_LOSS: loss}},
            config=make_config(seed, learning_rate=rate),
        )
        for name, (seed, loss, rate) in told.items()
    }
    return found | {"silent": make_run(database, "silent", config=make_config(3))}


def _names(client: TestClient, **query: Any) -> list[str]:
    answer = client.get("/api/runs", params=query)
    assert answer.status_code == 200, answer.text
    return [run["name"] for run in answer.json()["items"]]


def test_runs_without_a_value_come_last(client: TestClient, runs: dict[str, str]) -> None:
    assert runs
    for sort, names in {
        f"metric:{_LOSS}": ["low", "middle", "high", "silent"],
        f"-metric:{_LOSS}": ["high", "middle", "low", "silent"],
        f"metric:{_LOSS}@max": ["high", "middle", "low", "silent"],
        "-name": ["silent", "middle", "low", "high"],
    }.items():
        assert _names(client, sort=sort) == names, sort
        assert _names(client, sort=sort, limit=2, offset=2) == names[2:], sort


def test_filters_hold_together_and_equals_are_alternatives(
    client: TestClient, runs: dict[str, str]
) -> None:
    for filters, names in (
        ([f"metric:{_LOSS}<0.6"], {"low", "middle"}),
        ([f"metric:{_LOSS}@max>=1.5"], {"low", "middle"}),
        (["param:training.learning_rate>5e-5"], {"high"}),
        (["seed=2", "seed=3"], {"high", "middle", "silent"}),
        (["seed=2", "name~mid"], {"middle"}),
        (["tag="], set(runs)),
        (["created_at<1d"], set()),
    ):
        assert set(_names(client, filter=filters)) == names, filters


def test_a_filter_that_cannot_be_read_is_named(client: TestClient) -> None:
    for wrong in ("nothing=1", "seed>high", "status=done"):
        answer = client.get("/api/runs", params={"filter": wrong})
        assert answer.status_code == 422
        assert answer.json()["remedy"]


def test_groups_count_and_tell_the_spread(client: TestClient, runs: dict[str, str]) -> None:
    assert runs
    answer = client.get("/api/runs/groups", params={"by": "seed", "metric": _LOSS}).json()
    assert [(one["value"], one["count"]) for one in answer["items"]] == [
        ("1", 1),
        ("2", 2),
        ("3", 1),
    ]
    spread = answer["items"][1]["metrics"][_LOSS]
    assert spread == {"count": 2, "mean": pytest.approx(0.7), "lowest": 0.5, "highest": 0.9}
    by_rate = {"by": "param:training.learning_rate", "metric": _LOSS}
    rates = client.get("/api/runs/groups", params=by_rate).json()["items"]
    assert sum(one["count"] for one in rates) == 4


def test_the_whole_list_is_csv(client: TestClient, runs: dict[str, str]) -> None:
    query = {"sort": "name", "column": ["id", "name", f"metric:{_LOSS}"]}
    rows = list(csv.reader(io.StringIO(client.get("/api/runs/csv", params=query).text)))
    assert rows[0] == ["id", "name", f"metric:{_LOSS}"]
    assert rows[1] == [runs["high"], "high", "0.9"]
    assert rows[-1] == [runs["silent"], "silent", ""]


def test_a_wish_about_many_tells_what_became_of_each(
    client: TestClient, runs: dict[str, str]
) -> None:
    seen = [{"id": runs["low"]}, {"id": runs["high"]}, {"id": "gone"}]
    wish = {"action": "tag", "runs": seen, "add": ["paper"]}
    told = client.post("/api/runs/bulk", json=wish).json()
    assert (told["done"], told["refused"]) == (2, 1)
    assert [one["problem"] is None for one in told["items"]] == [True, True, False]
    assert set(_names(client, filter=["tag=paper"])) == {"low", "high"}
    stale = {"action": "delete", "runs": [{"id": runs["low"], "version": 99}, {"id": runs["high"]}]}
    told = client.post("/api/runs/bulk", json=stale).json()
    assert [one["problem"] is None for one in told["items"]] == [False, True]
    assert set(_names(client)) == {"low", "middle", "silent"}


def test_a_view_is_kept_renamed_and_forgotten(client: TestClient) -> None:
    wanted = {"name": "mine", "project_id": None, "search": {"sort": "name"}}
    made = client.post("/api/views", json=wanted)
    assert made.status_code == 201, made.text
    path = f"/api/views/{made.json()['id']}"
    assert client.patch(path, json={"name": "ours"}).json()["search"] == {"sort": "name"}
    assert [one["name"] for one in client.get("/api/views").json()["items"]] == ["ours"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404
