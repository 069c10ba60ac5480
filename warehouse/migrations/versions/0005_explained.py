"""Checks say whether a difference between two reports is explained by a part-year; those of before were not asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("fact_check", sa.Column("is_explained", sa.Boolean()))
    check = sa.table("fact_check", sa.column("is_explained", sa.Boolean()))
    op.execute(check.update().values(is_explained=False))
    with op.batch_alter_table("fact_check") as batch:
        batch.alter_column("is_explained", existing_type=sa.Boolean(), nullable=False)
