from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.metrics import store
from app.models import Attempt, Project, Run
from core.events import MetricsEvent, written
from core.states import RunStatus

Reported = Mapping[int, Mapping[str, float]]
"""Step to metric to value."""


def _run(database: Database, name: str, *attempts: Reported) -> str:
    with database.write() as session:
        project = session.get(Project, "p") or Project(id="p", name="P")
        session.add(project)
        session.flush()
        config = {
            "model": {"name": "m"},
            "data": {"path": "d"},
            "training": {"learning_rate": 0.5, "schedule": None},
        }
        run = Run(project_id="p", name=name, config=config, status=RunStatus.SUCCEEDED)
        session.add(run)
        session.flush()
        for number, reported in enumerate(attempts, start=1):
            attempt = Attempt(run_id=run.id, number=number, hostname="h", directory="/d")
            session.add(attempt)
            session.flush()
            store.append(session, run.id, attempt.id, _events(reported))
    return run.id


def _events(reported: Reported) -> list[MetricsEvent]:
    return [
        MetricsEvent(
            seq=step,
            time=float(step),
            step=step,
            total_steps=10**6,
            epoch=0.0,
            values={name: written(value) for name, value in values.items()},
        )
        for step, values in reported.items()
    ]


def _names(client: TestClient, **query: Any) -> list[str]:
    answer = client.get("/api/runs", params=query)
    assert answer.status_code == 200, answer.text
    return [run["name"] for run in answer.json()["items"]]


def test_runs_are_sorted_by_any_metric(client: TestClient, database: Database) -> None:
    _run(database, "middle", {1: {"a": 9.0}, 2: {"a": 2.0}})
    _run(database, "low", {1: {"a": 1.0, "b": 5.0}})
    _run(database, "high, once resumed", {1: {"a": 0.0}, 9: {"a": 0.5}}, {5: {"a": 3.0}})
    _run(database, "no number", {1: {"a": 1.0}, 2: {"a": math.nan}})
    _run(database, "without")
    up = _names(client, sort="metric:a")
    assert up[:3] == ["low", "middle", "high, once resumed"]
    assert set(up[3:]) == {"no number", "without"}
    assert _names(client, sort="-metric:a", limit=3) == up[2::-1]
    assert _names(client, sort="-metric:a", limit=1, offset=1) == ["middle"]
    assert _names(client, sort="metric:b")[0] == "low"
    assert len(_names(client, sort="metric:never reported")) == 5
    for unknown in ("metric:", "loss", "metric:\x00"):
        assert client.get("/api/runs", params={"sort": unknown}).status_code == 422


def test_a_list_gives_the_fields_and_metrics_that_are_asked_for(
    client: TestClient, database: Database
) -> None:
    _run(database, "r", {1: {"a": 4.0, "b": 1.0}}, {1: {"a": 2.0}, 2: {"a": -math.inf}})
    query = {
        "param": [
            "training.learning_rate",
            "training.schedule",
            "training.unknown",
            "model.name.x",
        ],
        "metric": ["a", "b", "unknown"],
    }
    (run,) = client.get("/api/runs", params=query).json()["items"]
    assert run["params"] == {"training.learning_rate": 0.5, "training.schedule": None}
    assert run["metrics"] == {
        "a": {"last": None, "non_finite": "-Infinity", "min": 2.0, "max": 4.0},
        "b": {"last": 1.0, "non_finite": None, "min": 1.0, "max": 1.0},
    }
    (plain,) = client.get("/api/runs").json()["items"]
    assert (plain["params"], plain["metrics"]) == ({}, {})


def test_a_zoom_gets_more_detail_and_gaps_are_named(client: TestClient, database: Database) -> None:
    values = {step: {"a": math.sin(step)} for step in range(1, 5001)}
    values[2500] = {"a": math.inf}
    values[2600] = {"a": 77.0}
    run_id = _run(database, "r", values)

    def series(**query: int) -> dict[str, Any]:
        answer = client.get(f"/api/runs/{run_id}/metrics", params={"name": "a", **query})
        (one,) = answer.json()["items"]
        return dict(one)

    coarse = series(max_points=100)
    assert (coarse["points"], coarse["steps"][0], coarse["steps"][-1]) == (5000, 1, 5000)
    assert len(coarse["steps"]) <= 100
    assert coarse["non_finite"] == [{"step": 2500, "value": "Infinity"}]
    assert coarse["values"][coarse["steps"].index(2500)] is None
    assert 77.0 in coarse["values"]
    fine = series(max_points=100, from_step=2451, to_step=2550)
    assert fine["steps"] == list(range(2451, 2551))
    assert fine["points"] == 100
    empty = client.get(f"/api/runs/{run_id}/metrics", params={"from_step": 6000})
    assert empty.json()["items"] == []


def test_bands_keep_a_spike_that_no_mean_shows(client: TestClient, database: Database) -> None:
    values = {step: {"a": 1.0} for step in range(1, 3001)}
    values[1500]["a"] = 500.0
    values[1600]["a"] = math.nan
    run_id = _run(database, "r", values)
    query: dict[str, Any] = {"name": "a", "shape": "bands", "max_points": 100}
    (coarse,) = client.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
    assert (len(coarse["steps"]), sum(coarse["counts"])) == (99, 3000)
    at = coarse["high"].index(500.0)
    assert coarse["steps"][at - 1] < 1500 <= coarse["steps"][at]
    assert coarse["low"][at] == 1.0
    assert 1.0 < coarse["values"][at] < 500.0
    assert coarse["non_finite"] == [{"step": 1600, "value": "NaN"}]
    query |= {"from_step": 1490, "to_step": 1510}
    (fine,) = client.get(f"/api/runs/{run_id}/metrics", params=query).json()["items"]
    assert fine["values"][10] == 500.0
    assert (fine["low"], fine["high"], fine["counts"]) == (None, None, None)


@pytest.mark.parametrize("query", [{"from_step": -1}, {"to_step": 2**40}, {"max_points": 1}])
def test_ranges_that_make_no_sense_are_refused(
    client: TestClient, database: Database, query: dict[str, int]
) -> None:
    run_id = _run(database, "r")
    assert client.get(f"/api/runs/{run_id}/metrics", params=query).status_code == 422
