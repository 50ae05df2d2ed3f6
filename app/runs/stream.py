"""A run's events as they happen: replayed from SQL after a cursor, then followed.

No database session is held while waiting. Redis only wakes the stream sooner.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple

from fastapi.concurrency import run_in_threadpool
from fastapi.sse import ServerSentEvent

from app import notify
from app.db import Database
from app.models import Run, RunEvent
from app.runs import repository
from app.runs.schemas import RunEventOut
from core.states import TERMINAL

_PAGE = 500
_LOOK_EVERY_SECONDS = 2.0


class _Page(NamedTuple):
    events: list[RunEventOut]
    over: bool


async def follow(database: Database, run_id: str, cursor: int) -> AsyncIterator[ServerSentEvent]:
    """Every event after `cursor`, each once and in order; ends when the run is over."""
    async with notify.listen(run_id) as listener:
        while True:
            page = await run_in_threadpool(_read, database, run_id, cursor)
            for event in page.events:
                cursor = event.cursor
                yield ServerSentEvent(data=event, event=event.kind, id=str(cursor))
            if page.events:
                continue
            if page.over:
                yield ServerSentEvent(data={}, event="end")
                return
            await listener.wait(_LOOK_EVERY_SECONDS)


def _read(database: Database, run_id: str, cursor: int) -> _Page:
    with database.read() as session:
        run = session.get(Run, run_id)
        # The state is read first: what the run reported before its end is then in the page.
        over = run is None or run.status in TERMINAL
        events = repository.events_after(session, run_id, cursor, _PAGE)
        return _Page([show(event) for event in events], over)


def show(event: RunEvent) -> RunEventOut:
    """An event as the API shows it."""
    return RunEventOut.model_validate(
        {
            "cursor": event.cursor,
            "attempt": event.attempt_number,
            "kind": event.kind,
            "step": event.step,
            "time": event.time,
            "payload": event.payload,
        }
    )
