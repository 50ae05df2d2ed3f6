"""Connections to PostgreSQL that end when the other side falls silent.

A network that is cut without a word, or a server that is frozen, answers nothing and closes
nothing: a client would wait for hours, and so would whoever needs a lock that such a client holds.
So both sides have a deadline. TCP's own timers do not do on the client: whatever stands between
(a proxy, the kernel of a frozen server) may go on acknowledging.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import Format, TransactionStatus
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection, ExecutionContext
from sqlalchemy.pool import ConnectionPoolEntry

_CONNECT_SECONDS: Final = 5
_T = TypeVar("_T")


def create_patient_engine(
    url: str,
    answer_seconds: float,
    **options: Any,  # noqa: ANN401 - of `create_engine`
) -> Engine:
    """An engine whose statements and idle transactions end after so many seconds."""

    class Connection(psycopg.Connection[Any]):
        """Closes itself when the server does not answer in time."""

        def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
            try:
                return super().wait(gen, interval, timeout or answer_seconds)
            except psycopg.OperationalError:
                if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                    self.pgconn.finish()  # its answer, should it come, is nobody's any more
                raise

    engine = create_engine(
        url,
        pool_pre_ping=True,
        connect_args={"connect_timeout": _CONNECT_SECONDS, **_keepalives(answer_seconds)},
        **options,
    )

    def connect(_dialect: object, _record: object, args: Any, more: Any) -> psycopg.Connection:  # noqa: ANN401
        return Connection.connect(*args, **more)

    def limit(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        # Settings of the session rather than start-up options, which poolers refuse.
        cursor = connection.cursor()
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            cursor.execute(f"SET {name} = {round(answer_seconds * 1000)}")
        cursor.close()
        connection.commit()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "connect", limit)
    event.listen(engine, "before_cursor_execute", _choose_format)
    return engine


def _choose_format(
    _connection: SqlConnection,
    cursor: psycopg.Cursor[Any],
    _statement: str,
    _parameters: object,
    context: ExecutionContext | None,
    _many: bool,  # noqa: FBT001 - the event's own
) -> None:
    """Bytes in the ordinary, textual form are twice as long; whoever asks for many opts out."""
    if context is not None and context.execution_options.get("unisd_binary", False):
        cursor.format = Format.BINARY


def _keepalives(seconds: float) -> dict[str, int]:
    """Options of libpq that have the kernel give up a dead peer in about so long."""
    third = max(1, round(seconds / 3))
    return {
        "keepalives_idle": third,
        "keepalives_interval": max(1, round(seconds / 6)),
        "keepalives_count": 4,
        "tcp_user_timeout": round(seconds * 1000),
    }
