"""The search over runs, data sets, studies and workers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from tests.app.workers import register


@pytest.fixture
def filled(client: TestClient, database: Database, config: dict[str, Any]) -> TestClient:
    """Something of each kind whose name has “sums” in it, and something else."""
    for name in ("sums", "other", "All SUMS", "100%"):
        answer = client.post("/api/runs", json={"config": config, "name": name})
        assert answer.status_code == 201, answer.text
    row = json.dumps({"question": "1 + 1?", "answer": "2"}).encode()
    asked = {"name": "sums-data", "file_name": "a.jsonl"}
    client.post("/api/datasets/upload", params=asked, content=row).raise_for_status()
    plan = {"name": "Which sums?", "base": config, "factors": {"f": {"a": {}}}, "seeds": [1]}
    client.post("/api/studies", json=plan).raise_for_status()
    with database.write() as session:
        register(session, "sums-gpu")
    return client


def _found(client: TestClient, **asked: Any) -> list[tuple[str, str]]:
    items = client.get("/api/search", params=asked).raise_for_status().json()["items"]
    return [(item["kind"], item["name"]) for item in items]


def test_names_are_found_in_every_kind_those_that_begin_so_first(filled: TestClient) -> None:
    found = _found(filled, q=" sums ")
    assert found[:2] == [("run", "sums"), ("run", "All SUMS")]
    assert found[-3:] == [
        ("dataset", "sums-data"),
        ("study", "Which sums?"),
        ("worker", "sums-gpu"),
    ]
    assert ("run", "other") not in found


def test_a_sign_of_patterns_is_only_a_sign(filled: TestClient) -> None:
    assert _found(filled, q="0%") == [("run", "100%")]
    assert _found(filled, q="s_ms") == []


def test_an_identifier_is_found_and_a_run_tells_model_and_state(filled: TestClient) -> None:
    (run,) = filled.get("/api/runs", params={"q": "other"}).json()["items"]
    (hit,) = filled.get("/api/search", params={"q": run["id"]}).json()["items"]
    assert (hit["id"], hit["status"], hit["detail"]) == (run["id"], "queued", "model")


def test_without_a_text_it_gives_the_newest_of_each(filled: TestClient) -> None:
    kinds = [kind for kind, _ in _found(filled, limit=1)]
    assert kinds == ["run", "dataset", "study", "worker"]
    assert filled.get("/api/search", params={"q": "\x00"}).status_code == 422
