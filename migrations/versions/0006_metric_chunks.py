"""Metrics as packed chunks, with each run's newest values at hand; what is there is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The layout as of this revision; `app.metrics` may move on.
_LARGEST = 4096
_SKETCH = 47
_LISTS = "ix_runs_project_id_deleting_created_at"
_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "metric_names",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_names")),
        sa.UniqueConstraint("name", name=op.f("uq_metric_names_name")),
    )
    chunks = op.create_table(
        "metric_chunks",
        sa.Column("attempt_id", _BIG, nullable=False),
        sa.Column("name_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("first_step", sa.Integer(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("first", sa.Float(), nullable=True),
        sa.Column("last", sa.Float(), nullable=True),
        sa.Column("minimum", sa.Float(), nullable=True),
        sa.Column("maximum", sa.Float(), nullable=True),
        sa.Column("total", sa.Float(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_metric_chunks_attempt_id_attempts"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["name_id"], ["metric_names.id"], name=op.f("fk_metric_chunks_name_id_metric_names")
        ),
        sa.PrimaryKeyConstraint("attempt_id", "name_id", "number", name=op.f("pk_metric_chunks")),
    )
    rows = op.create_table(
        "run_metrics",
        sa.Column("run_id", sa.String(length=12), nullable=False),
        sa.Column("name_id", sa.Integer(), nullable=False),
        sa.Column("attempt_id", _BIG, nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("last_step", sa.Integer(), nullable=False),
        sa.Column("last", sa.Float(), nullable=True),
        sa.Column("last_name", sa.String(length=9), nullable=True),
        sa.Column("minimum", sa.Float(), nullable=True),
        sa.Column("maximum", sa.Float(), nullable=True),
        sa.Column("sketch", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_metrics_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["name_id"], ["metric_names.id"], name=op.f("fk_run_metrics_name_id_metric_names")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_run_metrics_attempt_id_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_id", "name_id", name=op.f("pk_run_metrics")),
    )
    op.create_index(
        op.f("ix_run_metrics_name_id_last_run_id"), "run_metrics", ["name_id", "last", "run_id"]
    )
    op.create_index(op.f("ix_run_metrics_attempt_id"), "run_metrics", ["attempt_id"])
    # Lists leave out what is being deleted; with that in the index they count without the rows.
    op.drop_index("ix_runs_project_id_created_at", "runs")
    op.create_index(_LISTS, "runs", ["project_id", "deleting", "created_at"])
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # Floats hardly shrink; trying costs more than it saves.
        op.execute("ALTER TABLE metric_chunks ALTER COLUMN data SET STORAGE EXTERNAL")
    op.execute("INSERT INTO metric_names (name) SELECT DISTINCT name FROM metrics ORDER BY name")
    _fill(connection, chunks, rows)
    op.drop_table("metrics")


def _fill(connection: sa.Connection, chunks: sa.Table, rows: sa.Table) -> None:
    groups = connection.execute(
        sa.text(
            "SELECT DISTINCT a.run_id, n.id, n.name, a.id FROM metrics m"
            " JOIN attempts a ON a.id = m.attempt_id JOIN metric_names n ON n.name = m.name"
            " ORDER BY a.run_id, n.id, a.id"
        )
    ).all()
    newest: dict[tuple[str, int], dict[str, Any]] = {}
    for run_id, name_id, name, attempt_id in groups:
        points = connection.execute(
            sa.text(
                "SELECT step, value, time FROM metrics WHERE attempt_id = :attempt_id"
                " AND name = :name ORDER BY step"
            ),
            {"attempt_id": attempt_id, "name": name},
        ).all()
        steps, values, times = (list(column) for column in zip(*points, strict=True))
        connection.execute(
            sa.insert(chunks), list(_chunks(attempt_id, name_id, steps, values, times))
        )
        row = _row(run_id, name_id, attempt_id, steps, values)
        if (earlier := newest.get((run_id, name_id))) is not None:
            for what, choose in (("minimum", min), ("maximum", max)):
                known = [one[what] for one in (earlier, row) if one[what] is not None]
                row[what] = choose(known, default=None)
        newest[run_id, name_id] = row
    if newest:
        connection.execute(sa.insert(rows), list(newest.values()))


def _chunks(
    attempt_id: int,
    name_id: int,
    steps: list[int],
    values: list[float | None],
    times: list[float],
) -> Iterator[dict[str, Any]]:
    for number, start in enumerate(range(0, len(steps), _LARGEST)):
        some = slice(start, start + _LARGEST)
        finite = [value for value in values[some] if _is_finite(value)]
        yield {
            "attempt_id": attempt_id,
            "name_id": name_id,
            "number": number,
            "points": len(steps[some]),
            "first_step": steps[some][0],
            "last_step": steps[some][-1],
            "first": _or_none(values[some][0]),
            "last": _or_none(values[some][-1]),
            "minimum": min(finite, default=None),
            "maximum": max(finite, default=None),
            "total": sum(finite),
            "data": _pack(steps[some], values[some], times[some]),
        }


def _pack(steps: list[int], values: list[float | None], times: list[float]) -> bytes:
    data = _floats(values) + _floats(times)
    if len(set(np.diff(steps).tolist())) > 1:
        data += np.array(steps, "<i8").tobytes()
    return data


def _floats(values: list[Any]) -> bytes:
    return np.array([math.nan if one is None else one for one in values], "<f8").tobytes()


def _row(
    run_id: str, name_id: int, attempt_id: int, steps: list[int], values: list[float | None]
) -> dict[str, Any]:
    finite = [value for value in values if _is_finite(value)]
    stride = 1
    while -(-len(values) // stride) > _SKETCH:
        stride *= 2
    last = _or_none(values[-1])
    return {
        "run_id": run_id,
        "name_id": name_id,
        "attempt_id": attempt_id,
        "points": len(steps),
        "last_step": steps[-1],
        "last": last,
        "last_name": "NaN" if last is None else None,
        "minimum": min(finite, default=None),
        "maximum": max(finite, default=None),
        "sketch": _floats(values[::stride]),
    }


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _or_none(value: float | None) -> float | None:
    return value if _is_finite(value) else None


def downgrade() -> None:
    op.drop_index(_LISTS, "runs")
    op.create_index("ix_runs_project_id_created_at", "runs", ["project_id", "created_at"])
    metrics = op.create_table(
        "metrics",
        sa.Column("attempt_id", _BIG, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("time", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["attempt_id"],
            ["attempts.id"],
            name=op.f("fk_metrics_attempt_id_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("attempt_id", "name", "step", name=op.f("pk_metrics")),
    )
    connection = op.get_bind()
    keys = connection.execute(
        sa.text(
            "SELECT c.attempt_id, c.name_id, c.number, n.name FROM metric_chunks c"
            " JOIN metric_names n ON n.id = c.name_id"
        )
    ).all()
    for attempt_id, name_id, number, name in keys:
        count, first, last, data = connection.execute(
            sa.text(
                "SELECT points, first_step, last_step, data FROM metric_chunks"
                " WHERE attempt_id = :attempt AND name_id = :name AND number = :number"
            ),
            {"attempt": attempt_id, "name": name_id, "number": number},
        ).one()
        values = np.frombuffer(data, "<f8", count).tolist()
        times = np.frombuffer(data, "<f8", count, 8 * count).tolist()
        steps = (
            np.frombuffer(data, "<i8", count, 16 * count)
            if len(data) > 16 * count
            else np.linspace(first, last, count).round().astype(np.int64)
        ).tolist()
        connection.execute(
            sa.insert(metrics),
            [
                {
                    "attempt_id": attempt_id,
                    "name": name,
                    "step": step,
                    "value": _or_none(value),
                    "time": time,
                }
                for step, value, time in zip(steps, values, times, strict=True)
            ],
        )
    op.drop_table("run_metrics")
    op.drop_table("metric_chunks")
    op.drop_table("metric_names")
