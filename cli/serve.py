"""Serves the API and the page."""

from __future__ import annotations

import socket
from contextlib import suppress

import uvicorn

from app.settings import Settings

_GRACE_SECONDS = 2


class Server(uvicorn.Server):
    """Knows that event streams do not end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then, as uvicorn does, wait for the other answers."""
        self.lifespan.state["feed"].close()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Answer requests until a signal comes."""
    config = uvicorn.Config(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # For readers who no longer read: their streams do not end either.
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    with suppress(KeyboardInterrupt):
        Server(config).run()
