"""The API over a store of its own: what is not there yet, what is, and what other hosts wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.main import create_app
from app.runs.ingest import ingest
from app.settings import Settings, get_settings
from app.storage.store import Store, artifact_store
from tests.app.conftest import claim_run
from tests.app.test_evaluations_api import ROWS
from tests.app.test_trajectories_api import FIRST_FORMAT

# The store does not look at the database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
WORKER = Path("/no/such/host/home/runs")


@pytest.fixture
def far(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"artifacts_url": f"file://{tmp_path}/far"})


@pytest.fixture
def store(far: Settings) -> Store:
    return artifact_store(far)


@pytest.fixture
def client(far: Settings) -> Iterator[TestClient]:
    app = create_app(far)
    app.dependency_overrides[get_settings] = lambda: far
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def _tell(database: Database, run_id: str, event: dict[str, Any]) -> None:
    """An attempt on another host reports."""
    claim = claim_run(database, run_id, WORKER / run_id / "attempt-{number}")
    line = json.dumps({"seq": 0, "time": 1.0, **event}).encode()
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, [line], 1)


def test_a_rollout_is_shown_when_its_file_has_come(
    client: TestClient, config: dict[str, Any], database: Database, store: Store, tmp_path: Path
) -> None:
    run_id = client.post("/api/runs", json={"config": config}).json()["id"]
    told = dict.fromkeys(("record_id", "prompt", "completion", "reference"), "x")
    more = {"pinned": False, "tokens": 2, "truncated": False, "divergence": None, "row": 0}
    _tell(
        database,
        run_id,
        {"kind": "trajectory", "step": 1, "file": "trajectories/a.parquet", **told, **more},
    )
    url = f"/api/runs/{run_id}/trajectories"
    (item,) = client.get(url).json()["items"]
    waiting = client.get(f"{url}/{item['id']}")
    assert waiting.status_code == 409
    assert waiting.json()["code"] == "artifact_not_there_yet"
    assert "worker" in waiting.json()["remedy"]
    pq.write_table(pa.Table.from_pylist([FIRST_FORMAT]), tmp_path / "a.parquet")
    store.put(tmp_path / "a.parquet", f"runs/{run_id}/attempt-1/trajectories/a.parquet")
    assert len(client.get(f"{url}/{item['id']}").json()["token_values"]) == 2


def test_examples_are_shown_when_all_of_them_have_come(
    client: TestClient, config: dict[str, Any], database: Database, store: Store
) -> None:
    wanted = {
        "model": config["model"],
        "sets": [{"name": "own", "path": config["data"]["path"], "retention": True}],
    }
    run_id = client.post("/api/evaluations", json=wanted).json()["id"]
    summary = {"set": "own", "questions": 4, "answers": 4, "accuracy": 0.5, "extracted": 1.0}
    event = {
        "kind": "evaluation",
        "set": "own",
        "step": 0,
        "path": str(WORKER / run_id / "results" / "own"),
        "summary": summary | {"retention": {"examples": 4}},
    }
    _tell(database, run_id, event)
    (found,) = client.get(f"/api/runs/{run_id}/evaluations").json()["items"]
    url = f"/api/runs/{run_id}/evaluations/{found['cursor']}/examples"
    strips = [
        {"index": row["index"], "sample": 0, "base_answer": "A", "base_correct": True}
        | dict.fromkeys(("forward", "reverse", "gold"))
        for row in ROWS
    ]
    for name, rows in (("answers", ROWS), ("retention", strips)):
        for count in (2, 4):
            assert client.get(url).status_code == 409
            lines = [json.dumps(row) for row in ({}, *rows[:count])]
            content = "".join(f"{line}\n" for line in lines).encode()
            store.put_bytes(content, f"runs/{run_id}/results/own/{name}.jsonl")
    page = client.get(url)
    assert page.status_code == 200, page.text
    assert page.json()["total"] == 4


def test_a_checkpoint_of_another_host_can_be_evaluated(
    client: TestClient, config: dict[str, Any], database: Database, store: Store
) -> None:
    run_id = client.post("/api/runs", json={"config": config}).json()["id"]
    claim_run(database, run_id, WORKER / run_id / "attempt-{number}")
    place = f"runs/{run_id}/attempt-1/checkpoints/step-00000004"
    store.put_bytes(b"", f"{place}/state.json")
    sets = [{"name": "own", "path": config["data"]["path"]}]
    wanted = {"run_id": run_id, "checkpoint": 4, "sets": sets}
    assert client.post("/api/evaluations", json=wanted).status_code == 409
    store.put_bytes(b"", f"{place}/manifest.json")
    answer = client.post("/api/evaluations", json=wanted)
    assert answer.status_code == 201, answer.text
    assert answer.json()["config"]["adapter"] == str(WORKER.parent / place)


def test_data_sets_go_to_the_store_and_come_back(
    client: TestClient, config: dict[str, Any], store: Store, far: Settings
) -> None:
    place = {"name": "own", "file_name": "rows.jsonl"}
    rows = Path(config["data"]["path"]).read_bytes()
    made = client.post("/api/datasets/upload", params=place, content=rows).json()
    (key,) = store.list("datasets")
    assert key == f"datasets/{made['sha256'][:2]}/{made['sha256']}.jsonl"
    (far.home / key).unlink()  # another host answers from now on
    using = config | {"data": {"dataset": "own@1"}}
    assert client.post("/api/runs", json={"config": using}).status_code == 201
    assert (far.home / key).read_bytes() == rows
    preview = f"/api/datasets/{made['dataset_id']}/versions/1/preview"
    (far.home / key).unlink()
    assert client.get(preview).json()["total"] == 40


def test_a_data_set_that_is_deleted_and_sent_again(
    client: TestClient, config: dict[str, Any], store: Store
) -> None:
    place = {"name": "own", "file_name": "rows.jsonl"}
    rows = Path(config["data"]["path"]).read_bytes()
    made = client.post("/api/datasets/upload", params=place, content=rows).json()
    (key,) = store.list("datasets")
    assert client.delete(f"/api/datasets/{made['dataset_id']}").status_code == 204
    assert store.list("datasets") == {}
    assert list(store.list("deleted")) == [f"deleted/{key}"]
    client.post("/api/datasets/upload", params=place, content=rows).raise_for_status()
    assert (list(store.list("datasets")), store.list("deleted")) == ([key], {})


def test_a_store_that_does_not_answer_is_told(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(store._system, "put_file", down)
    place = {"name": "own", "file_name": "rows.jsonl"}
    row = b'{"prompt": "1 + 1?", "answer": "2"}\n'
    answer = client.post("/api/datasets/upload", params=place, content=row)
    assert answer.status_code == 503
    assert "down" in answer.json()["detail"]
    assert client.get("/api/datasets").json()["total"] == 0
