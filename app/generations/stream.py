"""A comparison's answers as they come: Server-Sent Events with replay.

`tokens` holds what came since the event before it, `state` how the comparison stands, and `end`
says that it is over and whole. Of a comparison that another worker had to begin anew, `state` tells
a new `attempt`; what came before counts no more.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Query, Request
from fastapi.sse import format_sse_event
from sqlalchemy import select

from app.db import Database
from app.deps import BIGGEST, DatabaseDep
from app.generations.present import chunks_after
from app.generations.service import get_generation
from app.models import Generation, GenerationChunk
from app.runs.feed import Feed, Followed, Read, Source
from core.errors import Problem, StudioError
from core.generation_job import OPEN

DOCUMENTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "content": {
            "text/event-stream": {
                "schema": {
                    "type": "object",
                    "description": "One event.",
                    "properties": {
                        "id": {"type": "string", "description": "The cursor."},
                        "event": {"type": "string", "description": "`tokens`, `state` or `end`."},
                        "data": {
                            "type": "string",
                            "description": "JSON. Of `tokens`: a list of "
                            "`[column, sample, text, tokens, end]`. Of `state`: `status`, "
                            "`detail`, `attempt`, `cancelling`.",
                        },
                    },
                    "required": ["event", "data"],
                }
            }
        }
    }
}


def _heads(database: Database, ids: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    statement = select(Generation.id, Generation.cursor, Generation.status)
    with database.read() as session:
        rows = session.execute(statement.where(Generation.id.in_(ids)))
        return {one: (cursor, status.value) for one, cursor, status in rows}


def _read(database: Database, generation_id: str, cursor: int) -> Read:
    with database.read() as session:
        # The row is read first: what came before it was written is then in the chunks.
        row = session.get(Generation, generation_id)
        if row is None:
            return Read(cursor, b"", complete=True, head=None, over=True)
        head = (row.cursor, row.status.value)
        chunks = chunks_after(session, generation_id, cursor)
        parts = [_tokens(chunk) for chunk in chunks]
        if parts and row.attempts > 1:
            # Who follows may have heard of the attempt before this one, and must forget it first.
            parts.insert(0, _state(row, cursor))
        last = max([cursor, row.cursor, *(chunk.cursor for chunk in chunks)])
        if row.cursor > cursor:
            parts.append(_state(row, last))
        return Read(last, b"".join(parts), complete=True, head=head, over=row.status not in OPEN)


def _tokens(chunk: GenerationChunk) -> bytes:
    """A chunk's tokens, put together by answer."""
    by_answer: dict[tuple[int, int], list[Any]] = {}
    for token in chunk.tokens:
        key = (token["column"], token["sample"])
        told = by_answer.setdefault(key, [*key, "", 0, None])
        told[2] += "" if token["end"] == "end" else token["piece"]
        told[3] += 1
        told[4] = token["end"]
    data = json.dumps(list(by_answer.values()))
    return format_sse_event(data_str=data, event="tokens", id=str(chunk.cursor))


def _state(row: Generation, cursor: int) -> bytes:
    told = {
        "status": row.status.value,
        "detail": row.detail,
        "attempt": row.attempts,
        "cancelling": row.cancelling,
    }
    return format_sse_event(data_str=json.dumps(told), event="state", id=str(cursor))


GENERATIONS: Final = Source(_heads, _read)
"""Comparisons, with what comes of their answers."""


def _cursor(
    database: DatabaseDep,
    generation_id: str,
    after: Annotated[
        int, Query(ge=0, le=BIGGEST, description="Replay what came after this cursor.")
    ] = 0,
    last_event_id: Annotated[
        int | None,
        Header(ge=0, le=BIGGEST, description="Sent by browsers that reconnect; wins over `after`."),
    ] = None,
) -> int:
    cursor = after if last_event_id is None else last_event_id
    with database.read() as session:
        latest = get_generation(session, generation_id).cursor
    if cursor > latest:
        raise StudioError(
            Problem(
                code="cursor_ahead",
                message=f"The comparison has {latest} events, and you ask for those after "
                f"{cursor}.",
                remedy="Load it anew: what you saw of it is no longer what is stored.",
                field="after" if last_event_id is None else "last-event-id",
            )
        )
    return cursor


async def _followed(request: Request, generation_id: str) -> AsyncIterator[Followed]:
    feed: Feed = request.state.generation_feed
    with feed.follow(generation_id) as followed:
        yield followed


CursorDep = Annotated[int, Depends(_cursor)]
FollowedDep = Annotated[Followed, Depends(_followed)]
