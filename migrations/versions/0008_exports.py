"""Exports of a run's weights."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_BEFORE = ("training", "evaluation")
_AFTER = (*_BEFORE, "export")


def _allow(*kinds: str) -> None:
    """Change which kinds of runs there may be."""
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint("kind", type_="check")
        runs.create_check_constraint("kind", sa.text(f"kind IN ({listed})"))


def upgrade() -> None:
    _allow(*_AFTER)
    op.create_table(
        "exports",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("run_id", sa.String(length=12), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("content", sa.String(length=20), nullable=False),
        sa.Column("checkpoint", sa.Integer(), nullable=True),
        sa.Column("estimate_bytes", sa.BigInteger(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=True),
        sa.Column("directory", sa.Text(), nullable=True),
        sa.Column("check", sa.JSON(), nullable=True),
        sa.Column("url", sa.String(length=500), nullable=True),
        sa.Column("licence", sa.String(length=100), nullable=True),
        sa.Column("progress_since", sa.Float(), nullable=True),
        sa.Column("secret_half", sa.String(length=1100), nullable=True),
        sa.ForeignKeyConstraint(
            ["id"], ["runs.id"], name=op.f("fk_exports_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_exports_run_id_runs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index(op.f("ix_exports_run_id"), "exports", ["run_id"])
    op.create_index(op.f("ix_exports_bytes"), "exports", ["bytes"])


def downgrade() -> None:
    op.drop_table("exports")
    # Exports cannot be where their kind is not known; files stay until somebody removes them.
    op.execute("DELETE FROM runs WHERE kind = 'export'")
    _allow(*_BEFORE)
