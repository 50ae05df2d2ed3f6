"""Answers side by side, and votes on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_STATES = ("queued", "loading", "generating", "done", "failed", "cancelled")


def _of_generation(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_generation_id_generations")
    return sa.ForeignKeyConstraint(
        ["generation_id"], ["generations.id"], name=name, ondelete="CASCADE"
    )


def upgrade() -> None:
    op.create_table(
        "generations",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("job", sa.JSON(), nullable=False),
        sa.Column("prompts", sa.JSON(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("revealed", sa.Boolean(), nullable=False),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*_STATES, name="status", native_enum=False, create_constraint=True, length=20),
            nullable=False,
        ),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_token_seconds", sa.Float(), nullable=True),
        sa.Column("generating_seconds", sa.Float(), nullable=True),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("worker_id", sa.String(length=12), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("lease_expires_at", sa.Float(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["worker_id"],
            ["workers.id"],
            name=op.f("fk_generations_worker_id_workers"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generations")),
    )
    op.create_index(op.f("ix_generations_created_at"), "generations", ["created_at"])
    op.create_index(
        op.f("ix_generations_status_created_at"), "generations", ["status", "created_at"]
    )
    op.create_table(
        "generation_chunks",
        sa.Column("generation_id", sa.String(length=12), nullable=False),
        sa.Column("cursor", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tokens", sa.JSON(), nullable=False),
        _of_generation("generation_chunks"),
        sa.PrimaryKeyConstraint("generation_id", "cursor", name=op.f("pk_generation_chunks")),
    )
    op.create_table(
        "generation_answers",
        sa.Column("generation_id", sa.String(length=12), nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sample", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("end", sa.String(length=10), nullable=True),
        sa.Column("mean_logprob", sa.Float(), nullable=True),
        sa.Column("tokens", sa.JSON(), nullable=False),
        _of_generation("generation_answers"),
        sa.PrimaryKeyConstraint(
            "generation_id", "place", "sample", name=op.f("pk_generation_answers")
        ),
    )
    op.create_table(
        "generation_votes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("generation_id", sa.String(length=12), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("winner", sa.Integer(), nullable=True),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _of_generation("generation_votes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation_votes")),
        sa.UniqueConstraint(
            "generation_id",
            "sample",
            "actor",
            name=op.f("uq_generation_votes_generation_id_sample_actor"),
        ),
    )


def downgrade() -> None:
    for table in ("generation_votes", "generation_answers", "generation_chunks", "generations"):
        op.drop_table(table)
