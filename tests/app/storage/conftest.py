"""Stores of every kind that can be had without a server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from app.settings import Settings


@pytest.fixture(params=["file", "memory", "home"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a store; no database is asked."""
    name = secrets.token_hex(4)
    urls = {"file": f"file://{tmp_path}/far", "memory": f"memory://{name}", "home": None}
    yield Settings(home=tmp_path / "home", artifacts_url=urls[request.param])
    memory = fsspec.filesystem("memory")
    if memory.exists(f"/{name}"):
        memory.rm(f"/{name}", recursive=True)


@pytest.fixture
def remote(tmp_path: Path) -> Settings:
    """Settings with a store in another folder than the home folder."""
    return Settings(home=tmp_path / "home", artifacts_url=f"file://{tmp_path}/far")
