"""Stores of every kind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from app.settings import Settings


@pytest.fixture(params=["file", "memory", "s3", "home"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings with a store; no database is asked."""
    name = secrets.token_hex(4)
    url = {"file": f"file://{tmp_path}/far", "memory": f"memory://{name}"}.get(request.param)
    if request.param == "s3":
        url = f"{request.getfixturevalue('s3_bucket')}/{name}"
    yield Settings(home=tmp_path / "home", artifacts_url=url)
    if request.param == "memory" and (memory := fsspec.filesystem("memory")).exists(f"/{name}"):
        memory.rm(f"/{name}", recursive=True)


@pytest.fixture
def remote(tmp_path: Path) -> Settings:
    """Settings with a store in another folder than the home folder."""
    return Settings(home=tmp_path / "home", artifacts_url=f"file://{tmp_path}/far")
