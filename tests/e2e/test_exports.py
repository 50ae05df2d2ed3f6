"""Exports, downloads and bundles through real parts: API, worker, Redis, both databases."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import redis
import torch
from sqlalchemy import MetaData, select
from transformers import AutoModelForCausalLM

from core.states import TERMINAL
from tests.e2e.installation import Installation, installation
from tests.hub import Hub, serving_hub
from tests.worker.trainer.exporting.test_exports import with_adapter

TOKEN = "hf_Kx93-nobody-may-see-this"


@pytest.fixture
def hub() -> Iterator[Hub]:
    with serving_hub(TOKEN) as running:
        yield running


@pytest.fixture
def studio(tmp_path: Path, database_url: str, hub: Hub) -> Iterator[Installation]:
    """An installation whose hub is on this machine."""
    settings = {
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    with installation(tmp_path / "home", database_url, settings) as running:
        yield running


@pytest.fixture
def small(config: dict[str, Any]) -> dict[str, Any]:
    """A run of a few steps."""
    training = {"max_steps": 4, "batch_size": 2, "learning_rate": 0.1, "checkpoint_every_steps": 2}
    return config | {"training": training | {"device": "cpu"}}


def start(studio: Installation, run_id: str, **wanted: Any) -> str:
    answer = studio.http.post(f"/api/runs/{run_id}/exports", json=wanted)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def finished(studio: Installation, export_id: str) -> dict[str, Any]:
    def export() -> dict[str, Any]:
        found: dict[str, Any] = studio.http.get(f"/api/exports/{export_id}").json()
        return found

    studio.wait_until(lambda: export()["status"] in TERMINAL, f"the export {export_id}")
    return export()


def test_exports_are_made_checked_and_fetched_and_a_token_is_nowhere(
    studio: Installation, small: dict[str, Any], hub: Hub, tmp_path: Path
) -> None:
    run_id = studio.create(small)
    assert studio.wait_for_end(run_id)["status"] == "succeeded"
    adapter = finished(studio, start(studio, run_id, kind="adapter"))
    assert (adapter["status"], adapter["problem"]) == ("succeeded", None)
    check = adapter["check"]
    assert check["passed"]
    assert check["same_tokens"] == check["tokens"] > 0
    assert adapter["licence"] is None

    url = f"/api/exports/{adapter['id']}/download"
    whole = fetch_with_a_cut(studio, url)
    folder = tmp_path / "fetched"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        archive.extractall(folder)
    model = small["model"]["name"]
    with_adapter(AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32), folder)

    # While it is being sent, and afterwards, nobody sees the token.
    hub.slow.clear()
    target = {"repository": "me/tiny", "token": TOKEN}
    pushed = start(studio, run_id, kind="hub", checkpoint=2, hub=target)
    studio.wait_until(lambda: any(one.startswith("PUT") for one in hub.asked), "the upload")
    commands = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if TOKEN in command]
    (child,) = studio.trainers()
    assert TOKEN not in json.dumps(child.environ())
    assert_nowhere(studio, pushed)
    hub.slow.set()
    push = finished(studio, pushed)
    assert (push["status"], push["problem"]) == ("succeeded", None)
    assert push["url"].startswith(hub.url)
    assert push["bytes"] == 0
    assert "adapter_model.safetensors" in hub.repositories["me/tiny"]
    assert_nowhere(studio, pushed)

    cancelled = start(studio, run_id, kind="merged")
    assert studio.http.post(f"/api/exports/{cancelled}/cancel").status_code == 200
    assert finished(studio, cancelled)["status"] in {"cancelled", "stopped"}
    assert studio.http.delete(f"/api/runs/{run_id}").status_code == 202
    folders = [studio.home / "runs" / one for one in (run_id, adapter["id"], pushed)]
    studio.wait_until(lambda: not any(one.exists() for one in folders), "the deletion")


def fetch_with_a_cut(studio: Installation, url: str) -> bytes:
    """Read half, break off, and go on from there; the archive is the same in one go."""
    part = b""
    with studio.http.stream("GET", url) as answer:
        etag = answer.headers["etag"]
        for piece in answer.iter_bytes(1000):
            part += piece
            if len(part) > 3000:
                break
    headers = {"Range": f"bytes={len(part)}-", "If-Range": etag}
    rest = studio.http.get(url, headers=headers)
    assert rest.status_code == 206
    whole = studio.http.get(url).content
    assert part + rest.content == whole
    return whole


def assert_nowhere(studio: Installation, export_id: str) -> None:
    """Neither tables, nor Redis, nor any file or log has the token."""
    connection = redis.Redis.from_url(studio.redis_url)
    assert not connection.keys("*secret*")
    for key in connection.keys("*"):
        assert TOKEN.encode() not in (connection.dump(key) or b"")
    with studio.database.engine.connect() as database:
        tables = MetaData()
        tables.reflect(database)
        for table in tables.sorted_tables:
            for row in database.execute(select(table)):
                assert TOKEN not in repr(row)
    for root, _, names in os.walk(studio.home):
        for name in names:
            path = Path(root) / name
            if path.is_file():
                assert TOKEN.encode() not in path.read_bytes(), path
    assert TOKEN not in studio.http.get(f"/api/exports/{export_id}").text


@pytest.mark.full  # the page's test starts a bundle's run, too
def test_a_bundle_gives_the_same_losses_again(studio: Installation, small: dict[str, Any]) -> None:
    run_id = studio.create(small)
    studio.wait_for_end(run_id)
    bundle = studio.http.get(f"/api/runs/{run_id}/bundle").json()
    told = {int(step): loss for step, loss in bundle["results"]["losses"].items()}
    assert told == studio.losses(run_id)[1]
    answer = studio.http.post("/api/bundles", json={"bundle": bundle})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["data"], answer.json()["differences"]) == ("verified", [])
    again = answer.json()["run"]["id"]
    assert studio.wait_for_end(again)["status"] == "succeeded"
    assert studio.losses(again) == studio.losses(run_id)
    one, other = (studio.run(name)["artifacts"][0]["sha256"] for name in (run_id, again))
    assert one == other
