"""Runs that evaluate beside runs that train."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Enum(
        "training",
        "evaluation",
        name="kind",
        native_enum=False,
        length=20,
        create_constraint=True,
    )
    with op.batch_alter_table("runs") as runs:
        runs.add_column(sa.Column("kind", kind, nullable=False, server_default="training"))


def downgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        runs.drop_constraint("kind", type_="check")
        runs.drop_column("kind")
