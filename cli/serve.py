"""Serves the API and the page."""

from __future__ import annotations

import gc
import socket
from contextlib import suppress

import uvicorn

from app.settings import Settings

_GRACE_SECONDS = 2


class Server(uvicorn.Server):
    """Knows that event streams do not end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then, as uvicorn does, wait for the other answers."""
        for name in ("feed", "generation_feed"):
            self.lifespan.state[name].close()
        await super().shutdown(sockets)


def serve(settings: Settings) -> None:
    """Answer requests until a signal comes."""
    from app.main import create_app  # noqa: PLC0415 - other commands do without

    application = create_app(settings)
    # What lives as long as the process need not be looked through again and again: a full
    # collection in the middle of a request took a tenth of a second.
    gc.collect()
    gc.freeze()
    config = uvicorn.Config(
        application,
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
