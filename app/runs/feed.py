"""One process's view of all runs that someone follows.

However many pages are open, there is one subscription to Redis, one look at the database every two
seconds, and one read for all who wait at the same place of the same run. Reads have threads of
their own, so that streams cannot take those of ordinary requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import NamedTuple, TypeVar, TypeVarTuple, Unpack

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi.sse import format_sse_event
from sqlalchemy.exc import SQLAlchemyError

from app import notify
from app.db import Database
from app.models import RunEvent
from app.runs import repository
from app.runs.schemas import RunEventOut
from core.states import TERMINAL

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_Arguments = TypeVarTuple("_Arguments")
_PAGE_EVENTS = 500
_PAGE_BYTES = 256 * 1024
_LOOK_EVERY_SECONDS = 2.0
_READS_AT_ONCE = 2
_INSIST_SECONDS = 1.0

Head = tuple[int, str] | None
"""Number of the latest event of what is followed, and its state; None if it is not there."""


class Read(NamedTuple):
    """Events after a cursor, as they were read."""

    last: int
    body: bytes
    complete: bool
    head: Head
    over: bool


class Source(NamedTuple):
    """What is followed: runs, or something else that has events."""

    heads: Callable[[Database, tuple[str, ...]], dict[str, tuple[int, str]]]
    read: Callable[[Database, str, int], Read]


class Page(NamedTuple):
    """Some events of a run, ready to be sent."""

    start: int
    """The cursor after which they come."""
    cursor: int
    """That of the last of them."""
    body: bytes
    """As Server-Sent Events."""
    complete: bool
    """Whether these were all when they were read."""
    over: bool
    """Whether the run had ended."""
    version: int
    """What was heard of the run before they were read; see `Followed.news_after`."""


class Followed:
    """A run that is followed, by all its followers in this process."""

    def __init__(self, feed: Feed, run_id: str) -> None:
        self.followers = 0
        self.closed = False
        self._feed = feed
        self._run_id = run_id
        self._version = 0
        self._news = asyncio.Event()
        self._head: Head = None
        self._latest: Page | None = None
        self._reads: dict[int, asyncio.Task[Page]] = {}

    def wake(self) -> None:
        """Have all followers look."""
        self._version += 1
        self._news.set()
        self._news = asyncio.Event()

    def notice(self, head: Head) -> None:
        """Have all followers look if the run is not as it was last seen."""
        if head != self._head:
            self._head = head
            self.wake()

    def close(self) -> None:
        """End all followers' streams."""
        self.closed = True
        self.wake()

    async def news_after(self, version: int, seconds: float) -> bool:
        """Wait until something was heard of the run that a page of `version` may lack.

        Returns:
            Whether there was something within so many seconds.
        """
        try:
            async with asyncio.timeout(seconds):
                while self._version == version and not self.closed:
                    await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def page(self, cursor: int) -> Page:
        """The events after a cursor, read once for all who want the same."""
        latest = self._latest
        if latest is not None and latest.start == cursor:
            return latest
        reading = self._reads.get(cursor)
        if reading is None:
            reading = asyncio.create_task(self._read(cursor))
            self._reads[cursor] = reading
            reading.add_done_callback(lambda _: self._reads.pop(cursor))
        # A follower who leaves must not end the read of the others.
        return await asyncio.shield(reading)

    async def _read(self, cursor: int) -> Page:
        heard = self._version
        result = await self._feed.attempt(self._feed.source.read, self._run_id, cursor)
        if result is None:
            return Page(cursor, cursor, b"", complete=True, over=False, version=heard)
        last, body, complete, head, over = result
        nothing_new = heard == self._version
        self.notice(head)
        page = Page(
            start=cursor,
            cursor=last,
            body=body,
            complete=complete,
            over=over,
            # What this read found out is news to others, and in this page already.
            version=self._version if nothing_new else heard,
        )
        if body and not page.over:  # events do not change, the end of a run may be taken back
            self._latest = page
        return page


async def _ended(tasks: Collection[asyncio.Task[None]]) -> None:
    """End tasks, however often it takes.

    A library that turns a cancellation into its own error, as one does whose time-out ends at that
    moment, would go on for ever after the first.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=_INSIST_SECONDS)


class Feed:
    """Feeds all who follow runs through this process."""

    def __init__(self, database: Database, source: Source | None = None) -> None:
        self._database = database
        self.source = source or RUNS
        self._runs: dict[str, Followed] = {}
        self._limiter = CapacityLimiter(_READS_AT_ONCE)
        self._closed = False
        self._blind = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Feed]:
        """Listen and look as long as the application runs."""
        tasks = [
            asyncio.create_task(notify.listen(self._heard)),
            asyncio.create_task(self._look()),
        ]
        try:
            yield self
        finally:
            self.close()
            await _ended(tasks)

    def close(self) -> None:
        """End all streams, present and future; their readers come again elsewhere or later."""
        self._closed = True
        for followed in self._runs.values():
            followed.close()

    @contextmanager
    def follow(self, run_id: str) -> Iterator[Followed]:
        """Be told of a run's news."""
        followed = self._runs.setdefault(run_id, Followed(self, run_id))
        followed.closed = self._closed
        followed.followers += 1
        try:
            yield followed
        finally:
            followed.followers -= 1
            if not followed.followers:
                del self._runs[run_id]

    async def attempt(
        self, read: Callable[[Database, Unpack[_Arguments]], _T], *arguments: *_Arguments
    ) -> _T | None:
        """Read in a thread of the feed's own; None if the database does not answer."""
        try:
            return await run_sync(read, self._database, *arguments, limiter=self._limiter)
        except SQLAlchemyError as error:
            if not self._blind:
                _log.warning("followers wait for the database: %s", error)
            self._blind = True
            return None

    def _heard(self, run_id: str | None) -> None:
        if run_id is None:
            for followed in self._runs.values():
                followed.wake()
        elif run_id in self._runs:
            self._runs[run_id].wake()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            if not self._runs:
                continue
            runs, was_blind = dict(self._runs), self._blind
            heads = await self.attempt(self.source.heads, tuple(runs))
            if heads is None:
                continue
            self._blind = False
            for run_id, followed in runs.items():
                followed.notice(heads.get(run_id))
                if was_blind:
                    followed.wake()


def _heads(database: Database, run_ids: tuple[str, ...]) -> dict[str, tuple[int, str]]:
    with database.read() as session:
        return dict(repository.heads(session, run_ids))


def _read(database: Database, run_id: str, cursor: int) -> Read:
    with database.read() as session:
        # The head is read first: what the run reported before its end is then in the page.
        head = repository.heads(session, [run_id]).get(run_id)
        rows = repository.events_after(session, run_id, cursor, _PAGE_EVENTS)
        parts, size = [], 0
        for row in rows:
            parts.append(_encode(row))
            size += len(parts[-1])
            if size > _PAGE_BYTES:
                break
        last = rows[len(parts) - 1].cursor if parts else cursor
        complete = len(parts) == len(rows) < _PAGE_EVENTS
        over = head is None or head[1] in TERMINAL
        return Read(last, b"".join(parts), complete, head, over)


def _encode(event: RunEvent) -> bytes:
    shown = RunEventOut.model_validate(
        {
            "cursor": event.cursor,
            "attempt": event.attempt_number,
            "kind": event.kind,
            "step": event.step,
            "time": event.time,
            "payload": event.payload,
        }
    )
    return format_sse_event(
        data_str=shown.model_dump_json(), event=event.kind, id=str(event.cursor)
    )


RUNS = Source(_heads, _read)
"""Runs, with all their events."""
