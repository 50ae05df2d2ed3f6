"""Summaries of recorded rollouts, and indexes: for lists by them, and for places in files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NUMBERS = (
    "disagreement",
    "disagreement_max",
    "weight",
    "clipped_share",
    "contrastive_share",
    "feature_distance",
    "grade",
    "loss",
)
_LISTED = [
    "run_id",
    "step",
    "id",
    "attempt_id",
    "pinned",
    "truncated",
    "tokens",
    "divergence",
    *_NUMBERS,
    "record_id",
]
_PLACES = "ix_trajectories_attempt_id_file_row"


def upgrade() -> None:
    for name in _NUMBERS:
        op.add_column("trajectories", sa.Column(name, sa.Float(), nullable=True))
    op.create_index("ix_trajectories_list", "trajectories", _LISTED)
    op.create_index(_PLACES, "trajectories", ["attempt_id", "file", "row"])
    op.drop_index("ix_trajectories_run_id_step", "trajectories")


def downgrade() -> None:
    op.create_index("ix_trajectories_run_id_step", "trajectories", ["run_id", "step"])
    op.drop_index(_PLACES, "trajectories")
    op.drop_index("ix_trajectories_list", "trajectories")
    with op.batch_alter_table("trajectories") as batch:
        for name in _NUMBERS:
            batch.drop_column(name)
