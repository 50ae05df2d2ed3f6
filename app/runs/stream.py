"""A run's events as they happen: replayed from SQL after a cursor, then followed.

No database session is held while waiting, and nothing is read before the reader has taken what was
read before.

FastAPI's own event streams put three tasks and two queues between a reader and every single event;
here a page of events, encoded once for all its readers, is written at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from app.deps import DatabaseDep
from app.runs import service
from app.runs.feed import Feed, Followed
from core.errors import Problem, StudioError

_END = format_sse_event(data_str="{}", event="end")
# After so long a silence comes a comment, or proxies take a quiet run's stream for a dead one.
_SILENCE_SECONDS = 15.0
_HEADERS = {
    "Cache-Control": "no-cache",
    # nginx would else hold events back to send many at once.
    "X-Accel-Buffering": "no",
}


DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "description": "One event.",
                    "properties": {
                        "id": {"type": "string", "description": "The cursor."},
                        "event": {"type": "string", "description": "The kind, or `end`."},
                        "data": {"type": "string", "description": "A `RunEventOut` as JSON."},
                    },
                    "required": ["event", "data"],
                }
            }
        }
    }
}
"""`responses=` of the route; each event is described, as the stream has no end."""


class EventStream(StreamingResponse):
    """Server-Sent Events."""

    media_type = "text/event-stream"


def respond(run: Followed, cursor: int) -> EventStream:
    """Every event after `cursor`, each once and in order; ends when the run is over."""
    return EventStream(_follow(run, cursor), headers=_HEADERS)


async def _follow(run: Followed, cursor: int) -> AsyncIterator[bytes]:
    while not run.closed:
        page = await run.page(cursor)
        if page.body:
            yield page.body
        cursor = page.cursor
        if not page.complete:
            continue
        if page.over:
            yield _END
            return
        if not await run.news_after(page.version, _SILENCE_SECONDS):
            yield KEEPALIVE_COMMENT


def _cursor(
    database: DatabaseDep,
    run_id: str,
    after: Annotated[int, Query(ge=0, description="Replay what came after this cursor.")] = 0,
    last_event_id: Annotated[
        int | None, Header(ge=0, description="Sent by browsers that reconnect; wins over `after`.")
    ] = None,
) -> int:
    cursor = after if last_event_id is None else last_event_id
    with database.read() as session:
        latest = service.get_run(session, run_id).event_cursor
    if cursor > latest:
        raise StudioError(
            Problem(
                code="cursor_ahead",
                message=f"The run has {latest} events, and you ask for those after {cursor}.",
                remedy="Load the run anew: what you saw of it is no longer what is stored.",
                field="after" if last_event_id is None else "last-event-id",
            )
        )
    return cursor


async def _followed(request: Request, run_id: str) -> AsyncIterator[Followed]:
    # A dependency, since FastAPI ends it with the request, however the stream ends.
    feed: Feed = request.state.feed
    with feed.follow(run_id) as followed:
        yield followed


CursorDep = Annotated[int, Depends(_cursor)]
FollowedDep = Annotated[Followed, Depends(_followed)]
