"""Reproduction bundles, out and in; the data is known by its hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.models import Worker
from app.models.base import database_epoch
from app.runs.ingest import ingest
from app.settings import Settings
from tests.app.conftest import claim_run


@pytest.fixture
def bundle(
    client: TestClient, config: dict[str, Any], database: Database, settings: Settings
) -> dict[str, Any]:
    """Of a run that has read its data and trained three steps."""
    config = config | {"training": {"max_steps": 3, "seed": 7}}
    run_id = client.post("/api/runs", json={"config": config, "name": "Original"}).json()["id"]
    claim = claim_run(database, run_id, settings.runs_directory / run_id / "attempt-1")
    sha256 = hashlib.sha256(Path(config["data"]["path"]).read_bytes()).hexdigest()
    events: list[dict[str, Any]] = [
        {
            "kind": "started",
            "device": "cpu",
            "dtype": "float32",
            "versions": {"python": "3.11.1", "torch": "2.13.0"},
            "environment": {"packages": {"unisd-studio": "0.1.0"}, "commit": "abc"},
        },
        {
            "kind": "dataset",
            "sha256": sha256,
            "records": 40,
            "train": 36,
            "held_out": 4,
            "dropped": {},
        },
        *(
            {
                "kind": "metrics",
                "step": step,
                "total_steps": 3,
                "epoch": 0.1,
                "values": {"train/loss": 1.0 / step},
            }
            for step in (1, 2, 3)
        ),
    ]
    lines = [
        json.dumps({"v": 1, "seq": seq, "time": 1.0, **event}).encode()
        for seq, event in enumerate(events)
    ]
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, lines, 1)
    answer = client.get(f"/api/runs/{run_id}/bundle")
    assert answer.status_code == 200, answer.text
    assert f'filename="{run_id}.unisd.json"' in answer.headers["content-disposition"]
    found: dict[str, Any] = answer.json()
    return found


def test_a_bundle_tells_what_a_run_was_made_of(bundle: dict[str, Any]) -> None:
    assert bundle["config"]["training"]["max_steps"] == 3
    assert bundle["seeds"] == {"training.seed": 7}
    assert bundle["data"]["records"] == 40
    assert bundle["environment"]["studio"] == "0.1.0"
    assert bundle["environment"]["details"]["commit"] == "abc"
    losses = {int(step): loss for step, loss in bundle["results"]["losses"].items()}
    assert losses == {1: 1.0, 2: 0.5, 3: pytest.approx(1 / 3)}
    assert bundle["results"]["metrics"]["train/loss"]["max"] == 1.0


def test_importing_it_starts_the_same_run(client: TestClient, bundle: dict[str, Any]) -> None:
    answer = client.post("/api/bundles", json={"bundle": bundle})
    assert answer.status_code == 201, answer.text
    started = answer.json()
    assert started["data"] == "verified"
    run = started["run"]
    assert (run["name"], run["status"]) == ("Original", "queued")
    assert run["config"] == bundle["config"]
    history = client.get(f"/api/runs/{run['id']}/transitions").json()["items"]
    assert history[-1]["changes"] == {"from bundle of": [None, bundle["run_id"]]}


def test_other_bytes_are_refused(client: TestClient, bundle: dict[str, Any]) -> None:
    path = Path(bundle["config"]["data"]["path"])
    path.write_text(path.read_text() + '{"question": "more?", "answer": "yes"}\n')
    answer = client.post("/api/bundles", json={"bundle": bundle})
    assert answer.status_code == 422
    (problem,) = answer.json()["errors"]
    assert problem["code"] == "bundle_data_differs"
    assert bundle["data"]["sha256"] in problem["message"]
    verdict = client.post("/api/bundles/check", json={"bundle": bundle}).json()
    assert [one["code"] for one in verdict["errors"]] == ["bundle_data_differs"]
    assert client.get("/api/runs").json()["total"] == 1


def test_missing_data_is_asked_for_and_found_once_uploaded(
    client: TestClient, bundle: dict[str, Any], tmp_path: Path
) -> None:
    path = Path(bundle["config"]["data"]["path"])
    content = path.read_bytes()
    path.unlink()
    refused = client.post("/api/bundles", json={"bundle": bundle})
    assert refused.status_code == 422
    (problem,) = refused.json()["errors"]
    assert problem["code"] == "bundle_data_missing"
    assert "with 40 records" in problem["message"]
    assert "Upload" in problem["remedy"]

    moved = tmp_path / "elsewhere.jsonl"
    moved.write_bytes(content)
    there = client.post("/api/bundles/check", json={"bundle": bundle, "data": str(moved)}).json()
    assert (there["errors"], there["data"], there["data_from"]) == ([], "verified", str(moved))
    wrong = client.post(
        "/api/bundles/check", json={"bundle": bundle, "data": str(tmp_path / "no.jsonl")}
    ).json()
    assert [one["code"] for one in wrong["errors"]] == ["data_not_found"]

    uploaded = client.post(
        "/api/datasets/upload",
        params={"name": "sums", "file_name": "sums.jsonl"},
        content=content,
    )
    assert uploaded.status_code == 201, uploaded.text
    started = client.post("/api/bundles", json={"bundle": bundle})
    assert started.status_code == 201, started.text
    assert started.json()["run"]["config"]["data"]["dataset"] == "sums@1"
    assert started.json()["data"] == "verified"
    # A run on a data set gives a bundle that finds the same bytes under another name.
    again = client.get(f"/api/runs/{started.json()['run']['id']}/bundle").json()
    assert again["data"]["fields"]["prompt"] == bundle["config"]["data"]["fields"]["prompt"]
    again["data"]["sha256"] = bundle["data"]["sha256"]
    again["config"]["data"]["dataset"] = "other@9"
    found = client.post("/api/bundles/check", json={"bundle": again}).json()
    assert (found["errors"], found["data_from"]) == ([], "sums@1")


def test_other_versions_are_shown(
    client: TestClient, database: Database, bundle: dict[str, Any]
) -> None:
    with database.write() as session:
        for name, torch in (("a", "2.14.0"), ("b", "2.13.0")):
            session.add(
                Worker(
                    name=name,
                    hostname="h",
                    pid=1,
                    last_seen=database_epoch(),
                    hardware={},
                    usage={},
                    versions={"torch": torch, "python": "3.11.1", "unisd-studio": "0.2.0"},
                )
            )
    verdict = client.post("/api/bundles/check", json={"bundle": bundle}).json()
    assert verdict["differences"] == [
        {"name": "torch", "then": "2.13.0", "now": "2.13.0, 2.14.0"},
        {"name": "unisd-studio", "then": "0.1.0", "now": "0.2.0"},
    ]
    assert verdict["errors"] == []


def test_a_run_that_has_not_read_its_data_says_so(
    client: TestClient, config: dict[str, Any]
) -> None:
    run_id = client.post("/api/runs", json={"config": config}).json()["id"]
    bundle = client.get(f"/api/runs/{run_id}/bundle").json()
    verdict = client.post("/api/bundles/check", json={"bundle": bundle}).json()
    assert verdict["data"] == "unverified"
    assert "bundle_data_unverified" in [one["code"] for one in verdict["warnings"]]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"format": "zip"}, "unisd-bundle"),
        ({"version": 2}, "version"),
        ({"config": {"training": {"max_steps": -1}}}, "max_steps"),
    ],
)
def test_what_is_no_bundle_is_refused(
    client: TestClient, bundle: dict[str, Any], change: dict[str, Any], says: str
) -> None:
    answer = client.post("/api/bundles", json={"bundle": bundle | change})
    assert answer.status_code == 422
    assert says in answer.text


def test_a_model_that_is_elsewhere_is_named(client: TestClient, bundle: dict[str, Any]) -> None:
    here = bundle["config"]["model"]["name"]
    bundle["config"]["model"]["name"] = "/of/another/machine/model"
    verdict = client.post("/api/bundles/check", json={"bundle": bundle}).json()
    assert [one["field"] for one in verdict["errors"]] == ["model.name"]
    answer = client.post("/api/bundles", json={"bundle": bundle, "model": here})
    assert answer.status_code == 201, answer.text
    assert answer.json()["run"]["config"]["model"]["name"] == here
