"""The application as a client sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
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
