"""What routes are given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Header, Query
from sqlalchemy.orm import Session

from app.db import Database, get_database
from app.settings import Settings, get_settings

DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


def _read_session(database: DatabaseDep) -> Iterator[Session]:
    with database.read() as session:
        yield session


def _write_session(database: DatabaseDep) -> Iterator[Session]:
    with database.write() as session:
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

Limit = Annotated[int, Query(ge=1, le=500, description="Items per page.")]
Offset = Annotated[int, Query(ge=0, le=10_000_000, description="Items to pass over.")]
