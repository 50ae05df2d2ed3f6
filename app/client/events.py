"""Follows a run's events, over lost connections and restarts of the studio."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import httpx2

from app.client.errors import ApiError, UnavailableError, UnreachableError
from app.client.transport import Transport
from app.runs.schemas import LogLine, RunEventOut

_SILENCE_SECONDS: Final = 45.0
"""The studio says something every 15 s, if only that nothing happens."""


class _Ended(Exception):  # noqa: N818 - an ending, not an error
    """The run is over and all of its events were given."""


def follow(
    transport: Transport, run_id: str, after: int = 0, patience: float = 600.0
) -> Iterator[RunEventOut]:
    """Events after a cursor as they happen, each once and in order, until the run is over.

    Args:
        transport: to the studio.
        run_id: the run.
        after: cursor of the last event that is known.
        patience: seconds without any contact after which it is given up.

    Raises:
        ApiError: the run is not there, or the studio could not be reached for so long.
    """
    cursor, attempt, heard = after, 0, time.monotonic()
    while True:
        try:
            for event in _connection(transport, run_id, cursor):
                cursor, attempt, heard = event.cursor, 0, time.monotonic()
                yield event
        except _Ended:
            return
        except ApiError as error:
            passing = isinstance(error, UnavailableError | UnreachableError)
            if not passing or time.monotonic() - heard > patience:
                raise
        # The studio ends its streams when it is shut down; somebody starts it again.
        transport.pause(attempt)
        attempt += 1


def _connection(transport: Transport, run_id: str, after: int) -> Iterator[RunEventOut]:
    path = f"/api/runs/{quote(run_id, safe='')}/events"
    with transport.stream(
        path,
        headers={"Last-Event-ID": str(after), "Accept": "text/event-stream"},
        silence=_SILENCE_SECONDS,
    ) as answer:
        for sent in httpx2.EventSource(answer, max_event_size=None):
            if sent.event == "end":
                raise _Ended
            yield RunEventOut.model_validate_json(sent.data)


def log_line(event: RunEventOut) -> LogLine:
    """A line that the trainer reported, or lines that it printed, from a `log` or `output`."""
    told, printed = event.payload, event.kind == "output"
    return LogLine(
        cursor=event.cursor,
        attempt=event.attempt,
        time=event.time,
        source="output" if printed else "log",
        level="info" if printed else told["level"],
        message=told["text"] if printed else told["message"],
    )
