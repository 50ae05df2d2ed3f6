"""Steering: stop modes, priorities, placement, limits, worker modes and their history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_QUEUE_INDEX = "ix_runs_status_queue_priority_queue_place"


def _columns() -> dict[str, tuple[sa.Column, ...]]:
    return {
        "runs": (
            sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("deleting", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("queue", sa.String(length=20), nullable=False, server_default="gpu"),
            sa.Column("priority", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("queue_place", sa.Float(), nullable=False, server_default="0"),
            sa.Column("not_before", sa.Float(), nullable=True),
            sa.Column("labels", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("gpu_memory_bytes", sa.BigInteger(), nullable=True),
            sa.Column("time_limit_seconds", sa.Float(), nullable=True),
            sa.Column("used_seconds", sa.Float(), nullable=False, server_default="0"),
            sa.Column("stop_mode", sa.String(length=20), nullable=True),
            sa.Column("kill_at", sa.Float(), nullable=True),
        ),
        "attempts": (
            sa.Column("pid", sa.Integer(), nullable=True),
            sa.Column("resumed", sa.JSON(), nullable=True),
            sa.Column("gpu_memory", sa.JSON(), nullable=True),
            sa.Column("output_bytes", sa.BigInteger(), nullable=False, server_default="0"),
        ),
        "workers": (
            sa.Column("host_key", sa.String(length=100), nullable=False, server_default=""),
            sa.Column("starts", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("labels", sa.JSON(), nullable=False, server_default="[]"),
            sa.Column("queues", sa.JSON(), nullable=False, server_default='["gpu", "interactive"]'),
            sa.Column("mode", sa.String(length=20), nullable=False, server_default="active"),
            sa.Column("mode_reason", sa.String(length=1000), nullable=False, server_default=""),
            sa.Column("mode_by", sa.String(length=200), nullable=False, server_default=""),
            sa.Column("mode_since", sa.Float(), nullable=True),
        ),
    }


def upgrade() -> None:
    for table, columns in _columns().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index(_QUEUE_INDEX, "runs", ["status", "queue", "priority", "queue_place"])
    op.create_table(
        "worker_samples",
        sa.Column("worker_id", sa.String(length=12), nullable=False),
        sa.Column("time", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_worker_samples_worker_id_workers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("worker_id", "time", name=op.f("pk_worker_samples")),
    )
    op.create_table(
        "queue_states",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("changed_by", sa.String(length=200), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_queue_states")),
    )
    # Runs that wait already keep their order.
    op.execute("UPDATE runs SET queue_place = coalesce(enqueued_at, 0)")


def downgrade() -> None:
    op.drop_table("queue_states")
    op.drop_table("worker_samples")
    op.drop_index(_QUEUE_INDEX, "runs")
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
