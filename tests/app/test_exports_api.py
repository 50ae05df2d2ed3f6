"""Exports through the API: what is asked, stored, steered, sent and removed."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text

from app import notify
from app.db import Database
from app.exports import secrets
from app.models import Artifact, Attempt, Export, Run, Worker
from app.models.base import database_epoch
from app.runs import lifecycle
from app.runs.deletion import remove_deleted
from app.runs.ingest import ingest
from app.settings import Settings
from core.errors import Problem, StudioError
from core.gguf import REPORTED_AS
from core.states import Cause, RunStatus
from tests.app.conftest import claim_run

LOST = Problem(code="trainer_died", message="It is gone.")
TOKEN = "hf_very-secret-Token"
FILES = {"adapter_model.safetensors": bytes(range(256)) * 40, "adapter_config.json": b"{}"}


@pytest.fixture
def trained(
    client: TestClient, config: dict[str, Any], database: Database, settings: Settings
) -> str:
    """A run that has ended, with an adapter, a rollout's prompt and a checkpoint."""
    run_id = str(client.post("/api/runs", json={"config": config}).json()["id"])
    folder = settings.runs_directory / run_id / "attempt-1"
    write_weights(folder)
    claim = claim_run(database, run_id, folder)
    with database.write() as session:
        run = lifecycle.lock(session, run_id)
        lifecycle.finish(session, run, RunStatus.SUCCEEDED, None, Cause.ENDED, actor="w")
        session.add(
            Artifact(
                run_id=run_id,
                attempt_id=claim.attempt_id,
                seq=1,
                kind="adapter",
                path="adapter",
                bytes=sum(map(len, FILES.values())),
                sha256="a" * 64,
            )
        )
    return run_id


def write_weights(folder: Path) -> None:
    for place in ("adapter", "checkpoints/step-00000002"):
        (folder / place).mkdir(parents=True)
        for name, content in FILES.items():
            (folder / place / name).write_bytes(content)
    (folder / "checkpoints/step-00000002/manifest.json").write_text("{}")


def make(
    client: TestClient, database: Database, settings: Settings, run_id: str, kind: str = "adapter"
) -> str:
    """An export that its worker has made, as the child would tell it."""
    export_id = str(client.post(f"/api/runs/{run_id}/exports", json={"kind": kind}).json()["id"])
    folder = settings.runs_directory / export_id / "attempt-1"
    claim = claim_run(database, export_id, folder)
    (folder / "export").mkdir(parents=True)
    files = []
    for path, content in FILES.items():
        (folder / "export" / path).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        crc32 = zlib.crc32(content)
        files.append({"path": path, "bytes": len(content), "sha256": sha256, "crc32": crc32})
    check = {
        "passed": True,
        "loaded_with": "peft",
        "dtype": "float32",
        "prompt": "p",
        "answer": "a",
        "exported_answer": "a",
        "tokens": 1,
        "same_tokens": 1,
        "mean_difference": 0.0,
        "largest_difference": 0.0,
        "tolerance": 0.001,
        "base_difference": 0.5,
    }
    phase = {"kind": "phase", "phase": "exporting", "detail": "Writing", "current": 5, "total": 10}
    export = {"kind": "export", "path": "export", "files": files, "check": check}
    events = [
        {"v": 1, "seq": seq, "time": 1.0 + seq, **event}
        for seq, event in enumerate([phase, export])
    ]
    with database.write() as session:
        lines = [json.dumps(event).encode() for event in events]
        ingest(session, claim.attempt_id, 0, lines, 1)
    return export_id


def finish(database: Database, export_id: str) -> None:
    with database.write() as session:
        run = lifecycle.lock(session, export_id)
        lifecycle.finish(session, run, RunStatus.SUCCEEDED, None, Cause.ENDED, actor="w")


def test_an_export_waits_is_made_and_is_downloaded(
    client: TestClient, database: Database, settings: Settings, trained: str
) -> None:
    options = client.get(f"/api/runs/{trained}/exports/options").json()
    assert options["has_adapter"]
    assert [one["step"] for one in options["checkpoints"]] == [2]
    kinds = {one["kind"]: one for one in options["kinds"]}
    assert kinds["adapter"]["available"]
    assert kinds["adapter"]["estimate_bytes"] == sum(map(len, FILES.values()))
    assert not kinds["gguf"]["available"]
    assert "UNISD_GGUF_CONVERTER" in kinds["gguf"]["remedy"]
    assert not kinds["ema_adapter"]["available"]

    answer = client.post(f"/api/runs/{trained}/exports", json={"kind": "adapter"})
    assert answer.status_code == 202, answer.text
    queued = answer.json()
    assert (queued["status"], queued["checkpoint"]) == ("queued", None)
    assert queued["waiting"] == ["No worker is connected."]
    assert client.get(f"/api/exports/{queued['id']}/download").status_code == 409
    run = client.get(f"/api/runs/{queued['id']}").json()
    assert (run["kind"], run["queue"]) == ("export", "interactive")
    listed = client.get("/api/runs").json()
    assert [one["id"] for one in listed["items"]] == [trained]  # exports are no runs of their own
    assert client.get("/api/projects").json()["items"][0]["run_count"] == 1

    export_id = make(client, database, settings, trained)
    busy = client.get(f"/api/exports/{export_id}").json()
    assert busy["status"] == "running"
    assert busy["progress"]["bytes"] == 5 * 1024
    assert busy["progress"]["total_bytes"] == 10 * 1024
    assert busy["progress"]["eta_seconds"] > 0
    assert not busy["downloadable"]
    finish(database, export_id)
    done = client.get(f"/api/exports/{export_id}").json()
    assert done["downloadable"]
    assert done["bytes"] == sum(map(len, FILES.values()))
    assert done["check"]["same_tokens"] == 1

    whole = client.get(f"/api/exports/{export_id}/download")
    assert whole.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES
    cut = whole.content[:5000]
    rest = client.get(
        f"/api/exports/{export_id}/download",
        headers={"Range": "bytes=5000-", "If-Range": whole.headers["etag"]},
    )
    assert rest.status_code == 206
    assert cut + rest.content == whole.content
    one = client.get(f"/api/exports/{export_id}/download", params={"file": "adapter_config.json"})
    assert one.content == b"{}"
    assert "adapter_config.json" in one.headers["content-disposition"]
    missing = client.get(f"/api/exports/{export_id}/download", params={"file": "../run.yaml"})
    assert missing.status_code == 404


def test_lists_search_sort_and_add_up(
    client: TestClient, database: Database, settings: Settings, trained: str
) -> None:
    size = sum(map(len, FILES.values()))
    export_id = make(client, database, settings, trained)
    finish(database, export_id)
    waiting = client.post(f"/api/runs/{trained}/exports", json={"kind": "merged"}).json()["id"]
    exports = client.get("/api/exports", params={"run_id": trained}).json()
    assert [one["id"] for one in exports["items"]] == [waiting, export_id]
    assert (exports["total"], exports["total_bytes"]) == (2, size)
    open_ones = client.get("/api/exports", params={"open_only": True}).json()
    assert [one["id"] for one in open_ones["items"]] == [waiting]

    everything = client.get("/api/artifacts", params={"sort": "-bytes"}).json()
    assert (everything["total"], everything["total_bytes"]) == (3, 2 * size)
    assert [one["source"] for one in everything["items"]].count("export") == 2
    assert everything["items"][-1]["bytes"] is None
    name = client.get(f"/api/runs/{trained}").json()["name"]
    for params, total in (
        ({"q": name[:4]}, 3),
        ({"q": "nothing like that"}, 0),
        ({"kind": "merged"}, 1),
        ({"source": "run"}, 1),
        ({"run_id": trained, "sort": "run_name"}, 3),
        ({"limit": 1, "offset": 2}, 3),
    ):
        assert client.get("/api/artifacts", params=params).json()["total"] == total


def test_a_runs_own_files_are_fetched_one_by_one(client: TestClient, trained: str) -> None:
    found = client.get(f"/api/runs/{trained}/files").json()
    assert [(one["kind"], one["step"]) for one in found["items"]] == [
        ("adapter", None),
        ("checkpoint", 2),
    ]
    path = found["items"][0]["files"][1]["path"]
    assert path == "attempt-1/adapter/adapter_model.safetensors"
    answer = client.get(f"/api/runs/{trained}/files/{path}", headers={"Range": "bytes=-16"})
    assert (answer.status_code, answer.content) == (206, FILES["adapter_model.safetensors"][-16:])
    for other in ("attempt-1/events.jsonl", "attempt-1/adapter/../../x", "attempt-1/adapter/no"):
        assert client.get(f"/api/runs/{trained}/files/{other}").status_code == 404
    assert client.head(f"/api/runs/{trained}/files/{path}").status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "says"),
    [
        ({"kind": "adapter", "checkpoint": 1}, 409, "Choose one that is kept: 2."),
        ({"kind": "ema_adapter"}, 409, "moving average"),
        ({"kind": "gguf"}, 409, "UNISD_GGUF_CONVERTER"),
        ({"kind": "hub"}, 422, "hub"),
        ({"kind": "adapter", "hub": {"repository": "a/b", "token": "t"}}, 422, "hub"),
        ({"kind": "hub", "hub": {"repository": "no owner", "token": TOKEN}}, 422, "repository"),
        ({"kind": "zip"}, 422, "kind"),
    ],
)
def test_what_cannot_be_exported_is_told(
    client: TestClient, trained: str, wanted: dict[str, Any], status: int, says: str
) -> None:
    answer = client.post(f"/api/runs/{trained}/exports", json=wanted)
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert TOKEN not in answer.text
    assert client.get("/api/exports").json()["total"] == 0


def test_a_worker_with_a_converter_takes_gguf(
    client: TestClient, database: Database, trained: str
) -> None:
    with database.write() as session:
        for name, versions in (("with", {REPORTED_AS: "c.py"}), ("without", {})):
            session.add(
                Worker(
                    name=name,
                    hostname="h",
                    pid=1,
                    last_seen=database_epoch(),
                    hardware={},
                    usage={"disk_free": 5},
                    versions=versions,
                )
            )
    options = client.get(f"/api/runs/{trained}/exports/options").json()
    assert [one["available"] for one in options["kinds"] if one["kind"] == "gguf"] == [True]
    assert options["disk_free"] == 5
    wanted = client.post(f"/api/runs/{trained}/exports", json={"kind": "gguf"}).json()
    with database.write() as session:
        session.execute(text("UPDATE workers SET mode = 'draining' WHERE name = 'with'"))
    told = client.get(f"/api/exports/{wanted['id']}").json()["waiting"]
    assert told == ["No worker that fits takes runs: with (draining)."]


def test_a_token_is_halved_taken_once_and_forgotten(
    client: TestClient, database: Database, trained: str
) -> None:
    hub = {"repository": "me/mine", "token": TOKEN}
    answer = client.post(f"/api/runs/{trained}/exports", json={"kind": "hub", "hub": hub})
    assert answer.status_code == 202, answer.text
    assert TOKEN not in answer.text
    export_id = answer.json()["id"]
    assert answer.json()["repository"] == "me/mine"
    (key,) = notify.redis_client().keys("*secret*")
    half = notify.redis_client().get(key)
    assert 0 < notify.redis_client().ttl(key) <= secrets.LIFE_SECONDS
    with database.read() as session:
        other = session.get_one(Export, export_id).secret_half
        assert session.get_one(Run, export_id).max_attempts == 1
    for part in (half, bytes.fromhex(other or "")):
        assert TOKEN.encode()[:6] not in part
        assert len(part) == 512  # not even its length is told
    with database.write() as session:
        assert secrets.take(session, export_id) == TOKEN
    assert notify.redis_client().get(key) is None
    with database.write() as session, pytest.raises(StudioError, match="no longer there"):
        secrets.take(session, export_id)


def test_a_cancelled_push_leaves_no_token(
    client: TestClient, database: Database, trained: str
) -> None:
    hub = {"repository": "me/mine", "token": TOKEN}
    export_id = client.post(
        f"/api/runs/{trained}/exports", json={"kind": "hub", "hub": hub}
    ).json()["id"]
    cancelled = client.post(f"/api/exports/{export_id}/cancel").json()
    assert cancelled["status"] == "cancelled"
    assert not notify.redis_client().keys("*secret*")
    with database.read() as session:
        assert session.get_one(Export, export_id).secret_half is None
    again = client.post(f"/api/exports/{export_id}/cancel")
    assert again.status_code == 409


@pytest.mark.parametrize("token", ["hf_€ 1", "€" * 400, "hf_" + "x" * 500, " ", 7])
def test_what_is_no_token_is_refused_and_not_repeated(
    client: TestClient, trained: str, token: object
) -> None:
    wanted = {"kind": "hub", "hub": {"repository": "me/mine", "token": token}}
    answer = client.post(f"/api/runs/{trained}/exports", json=wanted)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "hub.token"
    for part in ("€", "xxx", "hf_"):
        assert part not in answer.text
    assert not notify.redis_client().keys("*secret*")


def test_a_push_that_ends_otherwise_leaves_no_token(
    client: TestClient, database: Database, trained: str
) -> None:
    hub = {"repository": "me/mine", "token": TOKEN}
    wanted = {"kind": "hub", "hub": hub}
    ids = [client.post(f"/api/runs/{trained}/exports", json=wanted).json()["id"] for _ in "ab"]
    assert client.post(f"/api/runs/{ids[0]}/cancel").status_code == 200
    secrets.forget_leftovers(database)
    with database.read() as session:
        halves = [session.get_one(Export, one).secret_half is None for one in ids]
    assert halves == [True, False]  # the other one waits for its worker
    assert len(notify.redis_client().keys("*secret*")) == 1


def test_an_attempt_that_begins_anew_has_made_nothing_yet(
    client: TestClient, database: Database, settings: Settings, trained: str
) -> None:
    export_id = make(client, database, settings, trained)
    assert client.get(f"/api/exports/{export_id}").json()["files"]
    with database.write() as session:
        run = lifecycle.lock(session, export_id)
        lifecycle.give_back(session, run, LOST, Cause.TRAINER_DIED, settings, actor="w")
        run.not_before = None
    claim = claim_run(database, export_id, settings.runs_directory / export_id / "attempt-2")
    started = {"kind": "started", "device": "cpu", "dtype": "float32", "versions": {}}
    line = json.dumps({"v": 1, "seq": 0, "time": 3.0, **started}).encode()
    with database.write() as session:
        ingest(session, claim.attempt_id, 0, [line], 1)
    again = client.get(f"/api/exports/{export_id}").json()
    assert (again["files"], again["bytes"], again["check"]) == ([], None, None)


def test_one_under_way_is_cancelled_and_one_that_is_over_deleted(
    client: TestClient, database: Database, settings: Settings, trained: str
) -> None:
    export_id = make(client, database, settings, trained)
    assert client.delete(f"/api/exports/{export_id}").status_code == 409
    refused = client.delete(f"/api/runs/{trained}")
    assert refused.status_code == 409
    assert "Adapter · " in refused.json()["detail"]
    stopping = client.post(f"/api/exports/{export_id}/cancel").json()
    assert stopping["status"] == "stopping"
    with database.read() as session:
        assert session.get_one(Run, export_id).stop_mode == "discard"
    with database.write() as session:
        run = lifecycle.lock(session, export_id)
        lifecycle.finish(session, run, RunStatus.STOPPED, None, Cause.ENDED, actor="w")
    assert client.delete(f"/api/exports/{export_id}").status_code == 202
    assert client.get(f"/api/exports/{export_id}").status_code == 404
    remove_deleted(database, settings)
    assert not (settings.runs_directory / export_id).exists()
    with database.read() as session:
        assert session.get(Export, export_id) is None


def test_a_deleted_run_takes_its_exports_along(
    client: TestClient, database: Database, settings: Settings, trained: str
) -> None:
    export_id = make(client, database, settings, trained)
    finish(database, export_id)
    assert client.delete(f"/api/runs/{trained}").status_code == 202
    assert client.get("/api/artifacts").json()["total"] == 0
    assert client.get(f"/api/exports/{export_id}").status_code == 404
    remove_deleted(database, settings)
    with database.read() as session:
        assert session.scalars(select(Run.id)).all() == []
        assert session.scalars(select(Export.id)).all() == []
        assert session.scalars(select(Attempt.id)).all() == []
    assert not (settings.runs_directory / export_id).exists()
    assert not (settings.runs_directory / trained).exists()


def test_an_evaluation_has_nothing_to_export(
    client: TestClient, config: dict[str, Any], trained: str
) -> None:
    asked = [{"name": "own", "path": config["data"]["path"]}]
    evaluation = client.post(
        "/api/evaluations", json={"model": config["model"], "sets": asked}
    ).json()
    answer = client.post(f"/api/runs/{evaluation['id']}/exports", json={"kind": "adapter"})
    assert answer.status_code == 409
    assert client.post("/api/runs/nowhere/exports", json={"kind": "adapter"}).status_code == 404
