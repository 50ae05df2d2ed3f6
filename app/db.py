"""Engine and sessions. One request or task is one transaction, committed at the edge."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from pydantic_core import from_json
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from app.settings import get_settings

_log = logging.getLogger(__name__)
_AFTER_COMMIT = "unisd_after_commit"
ANSWER_SECONDS = 60.0
"""A PostgreSQL server that does not answer a statement for so long counts as gone."""
_PATIENCE_SECONDS = 30.0
# The pool never has fewer connections than a process has threads that ask for one: 40 of the web
# server's, and a few beside them. A read so never waits for writers who wait for a lock.
_KEPT_CONNECTIONS, _MORE_CONNECTIONS = 8, 40
# SQLite; PostgreSQL: lock_not_available, deadlock_detected, too_many_connections.
_BUSY = frozenset({"SQLITE_BUSY", "55P03", "40P01", "53300"})


class JsonText(str):
    """JSON that is written already; a JSON column stores it as it is."""

    __slots__ = ()


def _to_json(value: object) -> str:
    return value if isinstance(value, JsonText) else json.dumps(value)


def _from_json(text: str | bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return from_json(text)  # several times faster than the standard library
    except ValueError:
        return json.loads(text)  # which takes more than the standard, lone surrogates for one


class Database:
    """Opens read and write transactions on one engine."""

    def __init__(self, url: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self.engine = _create_engine(url, answer_seconds)
        self._readers = sessionmaker(self.engine, autoflush=False)
        self._writing = self.engine.execution_options(unisd_write=True)
        self._writers = sessionmaker(expire_on_commit=False)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A consistent view of the database; nothing is written."""
        with self._readers() as session:
            yield session

    @contextmanager
    def write(self, patience: float = _PATIENCE_SECONDS) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back on any error.

        It waits at most `patience` seconds for a lock that another holds; after that the database's
        own error is raised, which `is_busy` tells from others.
        """
        engine = self._writing.execution_options(unisd_patience=patience)
        with self._writers(bind=engine) as session:
            with session.begin():
                yield session
            _run_after_commit(session)

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def after_commit(session: Session, action: Callable[[], None]) -> None:
    """Do `action` once the transaction is durable; never if it is rolled back.

    Such actions are hints (a task sent, listeners woken): one that fails is logged, and whoever
    polls the database finds the same thing later.
    """
    session.info.setdefault(_AFTER_COMMIT, []).append(action)


def _run_after_commit(session: Session) -> None:
    for action in session.info.pop(_AFTER_COMMIT, []):
        try:
            action()
        except Exception as error:  # noqa: BLE001 - a hint may fail in any way its library likes
            _log.warning("after commit: %s: %s", type(error).__name__, error)


@lru_cache
def get_database() -> Database:
    """The database of this process."""
    settings = get_settings()
    return Database(settings.sqlalchemy_url, settings.database_seconds)


def is_reachable(database: Database) -> str | None:
    """None if the database answers and has the schema, else the reason."""
    try:
        with database.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1 FROM runs LIMIT 1")
    except SQLAlchemyError as error:
        return str(getattr(error, "orig", None) or error).splitlines()[0]
    return None


def is_busy(error: SQLAlchemyError) -> bool:
    """Whether others kept the database so busy that it could not do this; later it may."""
    if isinstance(error, PoolTimeoutError):
        return True
    fault = getattr(error, "orig", None)
    code = getattr(fault, "sqlite_errorname", None) or getattr(fault, "sqlstate", None)
    return code in _BUSY


def _create_engine(url: str, answer_seconds: float) -> Engine:
    options: dict[str, Any] = {
        "pool_size": _KEPT_CONNECTIONS,
        "max_overflow": _MORE_CONNECTIONS,
        "json_serializer": _to_json,
        "json_deserializer": _from_json,
    }
    if not url.startswith("sqlite"):
        from app.postgresql import create_patient_engine  # noqa: PLC0415 - needs its driver

        engine = create_patient_engine(url, answer_seconds, **options)
        event.listen(engine, "begin", _begin_postgresql)
        return engine
    engine = create_engine(url, connect_args={"timeout": _PATIENCE_SECONDS}, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own transaction handling begins too late for us; `_begin_sqlite` does it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later can fail at once in WAL mode, whatever the
    # busy timeout; so writers take the lock at their start.
    options = connection.get_execution_options()
    if options.get("unisd_write", False):
        patience = options.get("unisd_patience", _PATIENCE_SECONDS)
        connection.exec_driver_sql(f"PRAGMA busy_timeout={round(patience * 1000)}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    patience = connection.get_execution_options().get("unisd_patience")
    if patience is not None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {round(patience * 1000)}")
