"""The application on a real database and a real Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app import notify, queue
from app.db import Database, get_database
from app.main import create_app
from app.settings import Settings, get_settings
from tests.app.checkpoint import write_model_folder
from tests.servers import RedisServer


@pytest.fixture
def settings(
    database_url: str,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Settings]:
    """Settings of the process, taken from the environment as in production."""
    monkeypatch.setenv("UNISD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNISD_DATABASE_URL", database_url)
    monkeypatch.setenv("UNISD_REDIS_URL", redis_server.url)
    _forget()
    yield get_settings()
    get_database().close()
    _forget()


def _forget() -> None:
    for cached in (get_settings, get_database, queue._client, notify._client):
        cached.cache_clear()


@pytest.fixture
def database(settings: Settings) -> Database:
    """The application's own database."""
    del settings
    return get_database()


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
