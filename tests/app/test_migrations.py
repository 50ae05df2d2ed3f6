from __future__ import annotations

import math

import numpy as np
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select, text

from app.db import Database
from app.metrics import repository as metrics
from app.migrate import alembic_config, upgrade
from app.models import Attempt, Base, Project, Run, RunMetric
from core.states import RunStatus


def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    with database.engine.connect() as connection:
        here = connection.dialect.name
        opts = {
            "compare_type": True,
            "include_object": lambda item, *_: item.info.get("only", here) == here,
        }
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, Base.metadata) == []


def test_they_can_be_repeated_and_undone(database_url: str, database: Database) -> None:
    upgrade(database_url)
    command.downgrade(alembic_config(database_url), "base")
    assert set(inspect(database.engine).get_table_names()) == {"alembic_version"}
    upgrade(database_url)
    assert "runs" in inspect(database.engine).get_table_names()


def test_metrics_of_before_the_chunks_are_kept(database_url: str, database: Database) -> None:
    with database.write() as session:
        project = Project(name="P")
        session.add(project)
        session.flush()
        run = Run(project_id=project.id, name="r", config={}, status=RunStatus.QUEUED)
        session.add(run)
        session.flush()
        session.add_all(
            Attempt(id=number, run_id=run.id, number=number, hostname="h", directory="/")
            for number in (1, 2)
        )
    command.downgrade(alembic_config(database_url), "0004")
    rows = [
        {"attempt": 1, "name": "a", "step": step, "value": step / 8, "time": step / 4}
        for step in range(5000)
    ]
    rows += [
        {"attempt": 2, "name": "a", "step": step, "value": value, "time": 0.5}
        for step, value in ((7, -3.0), (1, 2.0), (2, None))
    ]
    insert = text(
        "INSERT INTO metrics (attempt_id, name, step, value, time)"
        " VALUES (:attempt, :name, :step, :value, :time)"
    )
    with database.engine.begin() as connection:
        connection.execute(insert, rows)
    upgrade(database_url)
    with database.read() as session:
        ((_, first),) = metrics.series(session, 1, ())
        np.testing.assert_array_equal(first.steps, np.arange(5000))
        np.testing.assert_array_equal(first.values, np.arange(5000) / 8)
        np.testing.assert_array_equal(first.times, np.arange(5000) / 4)
        ((_, second),) = metrics.series(session, 2, ["a"])
        assert second.steps.tolist() == [1, 2, 7]
        np.testing.assert_array_equal(second.values, [2.0, math.nan, -3.0])
        newest = session.scalars(select(RunMetric)).one()
        assert (newest.attempt_id, newest.points, newest.last) == (2, 3, -3.0)
        assert (newest.minimum, newest.maximum) == (-3.0, 4999 / 8)
        number = metrics.name_ids(session, ["a"])["a"]
        assert metrics.sketches(session, [run.id], number) == {run.id: [2.0, None, -3.0]}
    command.downgrade(alembic_config(database_url), "0004")
    with database.engine.connect() as connection:
        found = connection.execute(
            text(
                "SELECT attempt_id, name, step, value, time FROM metrics ORDER BY attempt_id, step"
            )
        ).all()
    rows.sort(key=lambda row: (row["attempt"], row["step"]))
    assert [tuple(row) for row in found] == [tuple(row.values()) for row in rows]
