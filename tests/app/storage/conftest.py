"""Stores of every kind."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from moto.server import ThreadedMotoServer

from app.settings import Settings


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """A bucket of an S3-compatible server on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "test")
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, host)
        fsspec.filesystem("s3").mkdir("studio")
        yield "s3://studio"
    server.stop()


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
