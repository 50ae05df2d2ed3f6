"""Hands a hub token from a request to the one worker that needs it.

The token is split in two halves, each of them random on its own: one lies in the database, one in
Redis, and the token is their exclusive or. Whoever reads a backup of either learns nothing. Both
are removed when the worker takes the token, when the push is over without that, and the one in
Redis also when its time is over (`docs/decisions/0018-exports.md`).
"""

from __future__ import annotations

import secrets
from typing import Final

from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import Database
from app.errors import UnavailableError
from app.models import Export, Run
from app.notify import redis_client
from core.errors import Problem, StudioError
from core.states import TERMINAL

LIFE_SECONDS: Final = 24 * 3600
"""So long a token waits for its worker; an export that starts later asks for it again."""
_BYTES: Final = 512


def keep(export_id: str, token: str) -> str:
    """Put half of a token into Redis; returns the other half.

    Raises:
        UnavailableError: Redis does not answer.
    """
    # One length for all, so that not even that is told.
    padded = token.encode().ljust(_BYTES, b"\0")
    half = secrets.token_bytes(_BYTES)
    try:
        redis_client().set(_key(export_id), _combined(padded, half), ex=LIFE_SECONDS)
    except (RedisError, OSError) as error:
        raise UnavailableError(
            "Redis does not answer, and the token would have to be stored elsewhere.",
            "Try again in a moment; /readyz tells what is missing.",
        ) from error
    return half.hex()


def take(session: Session, export_id: str) -> str:
    """The token; from now on it is nowhere but in the caller's memory.

    Args:
        session: a write transaction; the caller commits.
        export_id: the export that it was given for.

    Raises:
        StudioError: `hub_token_gone`: its time is over, it was taken, or Redis lost it or fails.
    """
    export = session.get_one(Export, export_id)
    try:
        half, other = export.secret_half, _taken(export_id)
    except (RedisError, OSError) as error:
        raise StudioError(
            Problem(
                code="hub_token_gone",
                message="Redis does not answer, which holds half of the push's token.",
                remedy="See whether it runs, then start the push anew with its token.",
            )
        ) from error
    export.secret_half = None
    session.flush()
    if half is None or other is None:
        raise StudioError(
            Problem(
                code="hub_token_gone",
                message="The token of this push is no longer there: it waits for a worker for at "
                f"most {LIFE_SECONDS // 3600} hours, and only the first that starts gets it.",
                remedy="Start the push anew with its token.",
            )
        )
    return _combined(other, bytes.fromhex(half)).rstrip(b"\0").decode()


def _taken(export_id: str) -> bytes | None:
    found = redis_client().getdel(_key(export_id))
    return found.encode() if isinstance(found, str) else found


def forget(session: Session, export: Export) -> None:
    """Remove what is left of a token; without Redis its half there ends by itself."""
    if export.secret_half is None:
        return
    export.secret_half = None
    session.flush()
    try:
        redis_client().delete(_key(export.id))
    except (RedisError, OSError):
        return


def forget_leftovers(database: Database) -> None:
    """Remove tokens of pushes that are over without having taken theirs."""
    over = (
        select(Export)
        .join(Run, Run.id == Export.id)
        .where(Export.secret_half.is_not(None), Run.status.in_(TERMINAL) | Run.deleting)
    )
    with database.read() as session:
        if session.scalars(over.limit(1)).first() is None:
            return
    with database.write() as session:
        for export in session.scalars(over).all():
            forget(session, export)


def _key(export_id: str) -> str:
    return f"unisd:export-secret:{export_id}"


def _combined(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
