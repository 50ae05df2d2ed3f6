from __future__ import annotations

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from app.db import Database
from app.migrate import alembic_config, upgrade
from app.models import Base


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_they_can_be_repeated_and_undone(database_url: str, database: Database) -> None:
    upgrade(database_url)
    command.downgrade(alembic_config(database_url), "base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    upgrade(database_url)
    assert "runs" in inspect(database.engine).get_table_names()
