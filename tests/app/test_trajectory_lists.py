"""Lists of recorded rollouts against the same done by hand in Python, on both databases."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.runs.ingest import ingest
from app.trajectories.fields import NUMBERS, SORTED
from tests.app.conftest import claim_run

COUNT = 60
FLOATS = [name for name in NUMBERS if name not in {"step", "tokens", "grade"}]


def _event(seq: int) -> dict[str, Any]:
    chance = random.Random(seq)
    measured = {name: round(chance.random(), 1) for name in FLOATS}
    return {
        "kind": "trajectory",
        "seq": seq,
        "time": 1.0,
        "step": 1 + seq // 4,
        "record_id": f"r/{seq % 7}",
        "pinned": seq % 4 == 0,
        "prompt": f"What is {seq}?",
        "completion": "It is so" if seq % 3 else "Nobody_knows 100%",
        "reference": "4",
        "tokens": chance.randint(1, 9),
        "truncated": seq % 5 == 0,
        "file": "trajectories/step-000001.parquet",
        "row": seq,
        **measured,
        "disagreement": None if seq % 6 == 0 else measured["disagreement"],
        "grade": (None, 0.0, 1.0)[seq % 3],
    }


@pytest.fixture
def recorded(
    client: TestClient, config: dict[str, Any], database: Database, tmp_path: Path
) -> tuple[str, list[dict[str, Any]]]:
    run_id = client.post("/api/runs", json={"config": config}).json()["id"]
    claim = claim_run(database, run_id, tmp_path / "{number}")
    events = [_event(seq) for seq in range(COUNT)]
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, [json.dumps(one).encode() for one in events], 1)
    items = client.get(
        f"/api/runs/{run_id}/trajectories", params={"sort": "step", "limit": 500}
    ).json()["items"]
    assert len(items) == COUNT
    told = {(one["step"], one["prompt"]): one for one in events}
    for item in items:
        event = told[item["step"], item["prompt"]]
        assert {name: item[name] for name in SORTED} == {name: event[name] for name in SORTED}
    return run_id, items


def _ordered(items: list[dict[str, Any]], sort: str) -> list[int]:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    known = sorted((one for one in items if one[name] is not None), key=lambda one: one["id"])
    known.sort(key=lambda one: one[name], reverse=down)  # stable, downwards too
    unknown = sorted((one for one in items if one[name] is None), key=lambda one: one["id"])
    return [one["id"] for one in (*known, *unknown)]


def test_every_order_both_ways_and_who_stands_beside(
    client: TestClient, recorded: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id, items = recorded
    url = f"/api/runs/{run_id}/trajectories"
    for sort in (f"{way}{name}" for name in SORTED for way in ("", "-")):
        page = client.get(url, params={"sort": sort, "limit": 500}).json()
        order = _ordered(items, sort)
        assert [one["id"] for one in page["items"]] == order, sort
        for place in (0, 1, 17, COUNT - 1):
            beside = client.get(f"{url}/{order[place]}/neighbours", params={"sort": sort}).json()
            assert beside == {
                "position": place + 1,
                "total": COUNT,
                "previous": order[place - 1] if place else None,
                "next": order[place + 1] if place + 1 < COUNT else None,
            }, (sort, place)


FILTERS: list[tuple[dict[str, Any], Any]] = [
    ({"filter": ["disagreement>=0.5", "disagreement<0.8"]},
     lambda one: one["disagreement"] is not None and 0.5 <= one["disagreement"] < 0.8),
    ({"filter": ["disagreement="]}, lambda one: one["disagreement"] is None),
    ({"filter": ["grade=0", "truncated=false"]},
     lambda one: one["grade"] == 0 and not one["truncated"]),
    ({"filter": ["grade!="], "pinned": True},
     lambda one: one["grade"] is not None and one["pinned"]),
    ({"filter": ["step>3", "step<=1e300", "tokens!=4"]},
     lambda one: one["step"] > 3 and one["tokens"] != 4),
    ({"filter": ["record_id~/3"]}, lambda one: one["record_id"] == "r/3"),
    ({"record_id": "r/2", "attempt": 1}, lambda one: one["record_id"] == "r/2"),
    ({"attempt": 2}, lambda one: False),
    ({"q": "y_knows 100%"}, lambda one: "100%" in one["completion"]),
    ({"filter": ["pinned=true"]}, lambda one: one["pinned"]),
]  # fmt: skip


def test_filters_alone_and_together(
    client: TestClient, recorded: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id, items = recorded
    url = f"/api/runs/{run_id}/trajectories"
    for asked, holds in FILTERS:
        params = {**asked, "sort": "-weight", "limit": 500}
        page = client.get(url, params=params).json()
        expected = _ordered([one for one in items if holds(one)], "-weight")
        assert [one["id"] for one in page["items"]] == expected, asked
        assert page["total"] == len(expected)
    for refused in ("disagreement", "nobody>1", "grade>x", "pinned=1", "record_id<a", "step~1"):
        answer = client.get(url, params={"filter": refused})
        assert (answer.status_code, answer.json()["code"]) == (422, "filter_invalid"), refused


def test_a_rollout_outside_of_the_filter_has_a_place_in_it(
    client: TestClient, recorded: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id, items = recorded
    wrong = [one for one in items if one["grade"] == 0]
    order = _ordered(wrong, "-disagreement_max")
    other = next(one for one in items if one["grade"] == 1)
    place = _ordered([*wrong, other], "-disagreement_max").index(other["id"])
    beside = client.get(
        f"/api/runs/{run_id}/trajectories/{other['id']}/neighbours",
        params={"sort": "-disagreement_max", "filter": "grade=0"},
    ).json()
    assert beside["position"] == place + 1
    assert beside["previous"] == (order[place - 1] if place else None)
    assert beside["next"] == (order[place] if place < len(order) else None)


def test_what_comes_later_is_counted_and_not_shown(
    client: TestClient, recorded: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id, items = recorded
    ids = sorted(one["id"] for one in items)
    until = ids[40]
    page = client.get(
        f"/api/runs/{run_id}/trajectories",
        params={"up_to": until, "filter": "grade=1", "limit": 500},
    ).json()
    assert page["newest"] == ids[-1]
    assert {one["id"] for one in page["items"]} == {
        one["id"] for one in items if one["grade"] == 1 and one["id"] <= until
    }
    later = [one for one in items if one["grade"] == 1 and one["id"] > until]
    assert page["newer"] == len(later) > 0


def test_overview_distribution_and_one_example(
    client: TestClient, recorded: tuple[str, list[dict[str, Any]]]
) -> None:
    run_id, items = recorded
    url = f"/api/runs/{run_id}/trajectories"
    overview = client.get(f"{url}/overview").json()
    assert (overview["total"], overview["pinned"], overview["truncated"]) == (60, 15, 12)
    for field in overview["fields"]:
        values = [one[field["name"]] for one in items if one[field["name"]] is not None]
        assert (field["count"], field["min"], field["max"]) == (
            len(values), min(values), max(values),
        )  # fmt: skip
        assert field["mean"] == pytest.approx(sum(values) / len(values))
    spread = client.get(f"{url}/distribution", params={"field": "disagreement", "bins": 5}).json()
    values = sorted(one["disagreement"] for one in items if one["disagreement"] is not None)
    assert (spread["count"], spread["unknown"]) == (len(values), COUNT - len(values))
    assert sum(one["count"] for one in spread["bins"]) == len(values)
    assert spread["bins"][0]["low"] == values[0]
    assert spread["bins"][-1]["high"] == values[-1] == spread["quantiles"]["p100"]
    followed = client.get(f"{url}/example", params={"record_id": "r/0", "pinned": True}).json()
    same = [one["id"] for one in items if one["record_id"] == "r/0" and one["pinned"]]
    assert [one["id"] for one in followed["items"]] == same
    assert followed["total"] == len(same)
    assert client.get(f"{url}/999999/neighbours").status_code == 404
