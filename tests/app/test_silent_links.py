"""A database whose link is cut without a word: nobody waits for it for long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text, update
from sqlalchemy.exc import OperationalError

from app.db import Database
from app.models import Project
from tests.link import Link
from tests.servers import make_database

SECONDS = 1.0


@pytest.fixture
def link(postgresql: str) -> Iterator[Link]:
    """A link to the PostgreSQL server."""
    link = Link()
    link.aim(Path(str(make_url(postgresql).query["host"])) / ".s.PGSQL.5432")
    yield link
    link.close()


@pytest.fixture
def url(postgresql: str) -> str:
    """A database, reached directly."""
    return make_database(postgresql)


@pytest.fixture
def far(link: Link, url: str) -> Iterator[Database]:
    """The same database, reached by the link."""
    name = make_url(url).database
    database = Database(f"postgresql+psycopg://postgres@127.0.0.1:{link.port}/{name}", SECONDS)
    yield database
    link.restore()
    database.close()


def _ask(database: Database) -> int:
    with database.read() as session:
        return int(session.execute(text("SELECT 1")).scalar_one())


def test_an_answer_that_does_not_come_is_an_error_in_time(far: Database, link: Link) -> None:
    assert _ask(far) == 1
    link.cut()
    begun = time.monotonic()
    with far.read() as session, pytest.raises(OperationalError):
        session.execute(text("SELECT 1"))
    assert time.monotonic() - begun < SECONDS + 7.0  # and the time to connect anew
    link.restore()
    assert _ask(far) == 1


def test_a_lock_that_a_lost_client_holds_is_free_again_in_time(
    far: Database, link: Link, url: str
) -> None:
    near = Database(url)
    with near.write() as session:
        session.add(Project(name="p"))

    def be_lost_with_a_lock() -> None:
        with far.write() as session:
            session.execute(update(Project).values(name="q"))
            link.cut()
            begun = time.monotonic()
            with near.write() as other:  # waits for the row
                other.execute(update(Project).values(name="r"))
            assert time.monotonic() - begun < SECONDS + 3.0

    with pytest.raises(OperationalError):
        be_lost_with_a_lock()
    link.restore()
    with near.read() as session:
        assert list(session.scalars(select(Project.name))) == ["r"]
    near.close()
