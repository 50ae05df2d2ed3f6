"""What routes are given."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Annotated, Final

from fastapi import Depends, Header, Query
from sqlalchemy.orm import Session

from app.db import Database, get_database
from app.errors import BusyError
from app.settings import Settings, get_settings

WRITE_PATIENCE_SECONDS = 5.0
"""So long a request waits for another's write; then its sender is told to try again."""
_WRITERS_AT_ONCE = 16
_writers = BoundedSemaphore(_WRITERS_AT_ONCE)

DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


def _read_session(database: DatabaseDep) -> Iterator[Session]:
    with database.read() as session:
        yield session


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    """A transaction of a request, which waits a little for others."""
    # Writers who wait hold a thread each; too many of them would leave none to readers.
    if not _writers.acquire(blocking=False):
        raise BusyError
    try:
        with database.write(WRITE_PATIENCE_SECONDS) as session:
            yield session
    finally:
        _writers.release()


def _write_session(database: DatabaseDep) -> Iterator[Session]:
    with writing(database) as session:
        yield session


# Scope "function": the transaction ends before the answer leaves, so an answer is never a promise.
ReadSession = Annotated[Session, Depends(_read_session, scope="function")]
WriteSession = Annotated[Session, Depends(_write_session, scope="function")]


def _actor(
    unisd_actor: Annotated[
        str | None,
        Header(max_length=100, description="Who asks, for the history: a name, as one likes."),
    ] = None,
) -> str:
    return (unisd_actor or "").strip() or "someone"


# There are no accounts: the name is for people to find each other, not for permissions.
Actor = Annotated[str, Depends(_actor)]

BIGGEST: Final = 2**63 - 1
"""What a column of numbers holds; a larger one would be an error of the database."""
Limit = Annotated[int, Query(ge=1, le=500, description="Items per page.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Items to pass over.")]
