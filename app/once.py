"""Creations that happen once, however often their request arrives.

Whoever does not get the answer to a request cannot know whether it was met. With the header
`Idempotency-Key` it may simply be sent again: the second one gets what the first one made.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Final

from fastapi import Depends, Header
from pydantic import BaseModel
from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.errors import ConflictError
from app.models import Creation
from app.models.base import database_epoch

_KEPT_SECONDS: Final = 7 * 86_400.0
_KEY: Final = r"^[\x21-\x7e]{8,200}$"


class KeyReusedError(ConflictError):
    """Two different requests came with one key."""

    code = "idempotency_key_reused"


class Once:
    """The key of one request, if it has one."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def earlier(self, session: Session, kind: str, wanted: BaseModel) -> str | None:
        """What an earlier request with this key made; else None, and this one is to make it.

        Of two that come at the same time, the second waits here until the first is done.

        Args:
            session: the transaction that makes it.
            kind: of what is made.
            wanted: all that was asked for.

        Raises:
            KeyReusedError: the earlier one asked for something else.
        """
        if self._key is None:
            return None
        asked = hashlib.sha256(f"{kind} {wanted.model_dump_json()}".encode()).hexdigest()
        session.execute(
            delete(Creation).where(Creation.created_at < database_epoch() - _KEPT_SECONDS)
        )
        if _is_new(session, self._key, asked):
            return None
        found = session.scalars(select(Creation).where(Creation.key == self._key)).one()
        if found.request != asked:
            raise KeyReusedError(
                "Another request has come with this Idempotency-Key.",
                "Make a new key for each thing that is to be made.",
            )
        return found.made

    def remember(self, session: Session, made: str) -> None:
        """Note what was made, in the transaction that made it."""
        if self._key is not None:
            session.execute(update(Creation).where(Creation.key == self._key).values(made=made))


def _is_new(session: Session, key: str, asked: str) -> bool:
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Creation) if on_sqlite else postgresql.insert(Creation)
    values = {"key": key, "request": asked, "made": "", "created_at": database_epoch()}
    result = session.execute(insert.values(values).on_conflict_do_nothing())
    assert isinstance(result, CursorResult)  # noqa: S101 - for the type checker
    return result.rowcount == 1


def _once(
    idempotency_key: Annotated[
        str | None,
        Header(
            pattern=_KEY,
            description="A random word. A request that comes again with it makes nothing new: it "
            "is answered with what the first one made. Kept for a week.",
        ),
    ] = None,
) -> Once:
    return Once(idempotency_key)


OnceDep = Annotated[Once, Depends(_once)]
