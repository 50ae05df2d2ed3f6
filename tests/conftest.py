"""Real servers for the tests: PostgreSQL, SQLite and Redis, started here and ended here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# The PostgreSQL wheel warns, and so fails, where there is no private folder for run-time files.
_runtime = tempfile.TemporaryDirectory(prefix="unisd-tests-")
os.environ["XDG_RUNTIME_DIR"] = _runtime.name
# What a person has set for a studio of theirs is not for the tests; what is for the tests stays.
_OURS = {"UNISD_CHROMIUM", "UNISD_CHAOS_SEED"}
for name in [name for name in os.environ if name.startswith("UNISD_") and name not in _OURS]:
    del os.environ[name]

from app import notify, queue  # noqa: E402 - the environment comes first
from app.db import Database, get_database  # noqa: E402
from app.settings import Settings, get_settings  # noqa: E402
from cli.demo import MODEL, obtain_model  # noqa: E402
from cli.services import Services  # noqa: E402
from tests.servers import RedisServer, migrated_database, start_postgresql  # noqa: E402

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real benchmark records; only where the folder is laid beside the project."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not here: real benchmark records are not in the repository")
    return folder


@pytest.fixture(scope="session")
def demo_model() -> Path:
    """The real small model of `make demo`, obtained once per clone in the same folder."""
    home = ROOT / ".unisd"
    home.mkdir(exist_ok=True)
    # Tests may run in several processes; one obtains it, the others wait.
    with FileLock(home / "tests.lock"), pytest.MonkeyPatch.context() as patch:
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        obtain_model(home)
    return home / "models" / MODEL


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a real PostgreSQL server's maintenance database."""
    with start_postgresql(tmp_path_factory.mktemp("postgresql")) as url:
        yield url


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A real Redis server."""
    directory = tmp_path_factory.mktemp("redis")
    services = Services({}, directory / "logs", print)
    server = RedisServer.start(services, directory)
    yield server
    services.stop()


@pytest.fixture(scope="session")
def s3_bucket() -> Iterator[str]:
    """A bucket of an S3-compatible server on this machine."""
    import fsspec
    from moto.server import ThreadedMotoServer

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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database of its own, on each of the two systems."""
    with migrated_database(
        request.param, tmp_path / "home", lambda: str(request.getfixturevalue("postgresql"))
    ) as url:
        yield url


@pytest.fixture
def settings(
    database_url: str,
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Settings]:
    """Settings of the process, taken from the environment as in production; Redis is empty."""
    monkeypatch.setenv("UNISD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("UNISD_DATABASE_URL", database_url)
    monkeypatch.setenv("UNISD_REDIS_URL", redis_server.url)
    _forget()
    notify._client().flushdb()
    yield get_settings()
    get_database().close()
    _forget()


def _forget() -> None:
    for cached in (get_settings, get_database, queue._client, notify._client):
        cached.cache_clear()
    notify._left_alone["until"] = 0.0


@pytest.fixture
def database(settings: Settings) -> Database:
    """The process's own database, migrated and empty."""
    del settings
    return get_database()
