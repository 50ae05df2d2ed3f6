"""The application as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.db import Database
from app.main import create_app
from app.models import Worker
from app.runs import lifecycle
from app.settings import Settings
from tests.app.checkpoint import write_model_folder


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """A browser, as it were."""
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with configuration, tokenizer and chat template, but no weights."""
    return write_model_folder(tmp_path / "model")


@pytest.fixture
def config(tmp_path: Path, model: Path) -> dict[str, Any]:
    """A configuration that can run."""
    data = tmp_path / "examples.jsonl"
    rows = [{"question": f"What is {n} + 1?", "answer": str(n + 1)} for n in range(40)]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {"model": {"name": str(model)}, "data": {"path": str(data)}}


def claim_run(database: Database, run_id: str, directory: Path) -> lifecycle.Claim:
    """Win a queued run for a new worker, as its supervisor would; `directory` is the attempt's."""
    with database.write() as session:
        worker = Worker(
            name="w", hostname="h", pid=1, last_seen=0.0, hardware={}, usage={}, versions={}
        )
        session.add(worker)
        session.flush()
        claim = lifecycle.claim(
            session,
            run_id,
            worker_id=worker.id,
            hostname="h",
            directory=str(directory),
            lease=180,
        )
    assert claim is not None
    return claim
