"""Runs migrations in one transaction, under a lock where several hosts may start at once."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from app.models import Base

_LOCK = 7_318_225_061  # any number; all starters of this product must use the same


def main() -> None:
    """Connect and migrate."""
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None  # noqa: S101 - `app.migrate` always sets it
    engine = create_engine(url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=connection.dialect.name == "sqlite",
            compare_type=True,
        )
        context.run_migrations()
    engine.dispose()


main()
