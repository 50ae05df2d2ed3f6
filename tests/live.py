"""A real web server in this process, and readers of its event streams."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import uvicorn

from app import notify
from app.main import create_app
from app.settings import Settings
from cli.serve import Server


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[int]:
    """Serve the application on a port of loopback, by default a free one; yields the port."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        config = uvicorn.Config(create_app(settings), log_config=None, timeout_graceful_shutdown=2)
        server = Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def forget_redis() -> None:
    """Close this process's connections to Redis: from now on another server is meant."""
    notify._client().close()
    notify._client.cache_clear()


class Reader:
    """Reads a run's stream, as slowly as the test wants."""

    def __init__(
        self,
        port: int,
        run_id: str,
        last_id: int | None = None,
        *,
        receive_buffer: int | None = None,
    ) -> None:
        self.seen: list[int] = []
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        # Shorter than the pause between two comments, which would keep a vain wait alive.
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._connection.sock = self.socket
        headers = {} if last_id is None else {"Last-Event-ID": str(last_id)}
        self._connection.request("GET", f"/api/runs/{run_id}/events", headers=headers)
        self.answer = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self._connection.close()

    def line(self) -> str:
        """The next line; empty at the end of an event, and of the stream."""
        return self.answer.readline().decode().rstrip("\n")

    def event(self) -> dict[str, Any] | None:
        """The next event; None when the stream is over, rightly or not."""
        fields: dict[str, str] = {}
        while True:
            try:
                raw = self.answer.readline()
            except (ConnectionError, http.client.IncompleteRead):
                return None
            if not raw:
                return None
            name, _, value = raw.decode().rstrip("\n").partition(": ")
            if value:
                fields[name] = value
            elif "data" in fields:
                if "id" in fields:
                    self.seen.append(int(fields["id"]))
                return {**fields, "data": json.loads(fields["data"])}

    def until(self, cursor: int) -> list[int]:
        """Read up to an event; returns the numbers of all that were read so far."""
        while not self.seen or self.seen[-1] < cursor:
            assert self.event() is not None, f"the stream ended after {self.seen[-1:]}"
        return self.seen
