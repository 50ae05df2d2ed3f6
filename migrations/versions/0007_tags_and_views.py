"""Tags, saved views, and columns for what lists are sorted, filtered and grouped by."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

from app.models.facts import Facts, facts

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LIST_INDEX = "ix_runs_list"
_LISTED = [
    "deleting",
    "project_id",
    "created_at",
    "id",
    "kind",
    "status",
    "name",
    "method",
    "mechanisms",
    "model",
    "data",
    "seed",
    "study_id",
    "worker_id",
]


def _columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.String(length=200), nullable=True),
        sa.Column("mechanisms", sa.String(length=200), nullable=True),
    )


def upgrade() -> None:
    for column in _columns():
        op.add_column("runs", column)
    _fill(op.get_bind())
    if op.get_context().dialect.name == "sqlite":
        op.create_index(_LIST_INDEX, "runs", _LISTED)
    op.create_table(
        "run_tags",
        sa.Column("run_id", sa.String(length=12), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_run_tags_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "tag", name=op.f("pk_run_tags")),
    )
    op.create_index("ix_run_tags_tag_run_id", "run_tags", ["tag", "run_id"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("project_id", sa.String(length=12), nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("search", sa.JSON(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_saved_views_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
    )
    op.create_index("ix_saved_views_project_id_name", "saved_views", ["project_id", "name"])


def _fill(connection: sa.Connection) -> None:
    """The facts of runs that are there already; derived, so today's rule is the right one."""
    ids = connection.execute(sa.text("SELECT id FROM runs")).scalars().all()
    read = sa.text("SELECT kind, CAST(config AS TEXT) FROM runs WHERE id = :id")
    settings = ", ".join(f"{name} = :{name}" for name in Facts._fields)
    write = sa.text(f"UPDATE runs SET {settings} WHERE id = :id")  # noqa: S608 - own names
    for run_id in ids:
        kind, config = connection.execute(read, {"id": run_id}).one()
        found = facts(json.loads(config), kind)
        connection.execute(write, {"id": run_id, **found._asdict()})


def downgrade() -> None:
    op.drop_table("saved_views")
    op.drop_table("run_tags")
    if op.get_context().dialect.name == "sqlite":
        op.drop_index(_LIST_INDEX, "runs")
    with op.batch_alter_table("runs") as batch:
        for column in _columns():
            batch.drop_column(column.name)
