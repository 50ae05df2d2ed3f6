"""Studies, and which cell of one a run is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.String(length=12), nullable=False),
        sa.Column("project_id", sa.String(length=12), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_studies_project_id_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.add_column(sa.Column("study_id", sa.String(length=12), nullable=True))
        batch_op.add_column(sa.Column("study_place", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("study_levels", sa.JSON(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_runs_study_id_studies"),
            "studies",
            ["study_id"],
            ["id"],
            ondelete="SET NULL",
        )
        batch_op.create_index(
            batch_op.f("ix_runs_study_id_study_place"), ["study_id", "study_place"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_runs_study_id_study_place"))
        batch_op.drop_constraint(batch_op.f("fk_runs_study_id_studies"), type_="foreignkey")
        batch_op.drop_column("study_levels")
        batch_op.drop_column("study_place")
        batch_op.drop_column("study_id")
    op.drop_table("studies")
