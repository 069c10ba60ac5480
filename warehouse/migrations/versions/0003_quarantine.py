"""Quarantine: when a row was tried again, and which load brought what passed.

All rows so far wait: nothing could be tried again before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey, UtcDateTime
from warehouse.keys import NOT_APPLICABLE

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("tried_at", UtcDateTime()))
    op.add_column("quarantine", sa.Column("resolved_at", UtcDateTime()))
    op.add_column("quarantine", sa.Column("resolved_load_key", BigKey))
    op.execute(sa.table("quarantine", sa.column("resolved_load_key")).update().values(resolved_load_key=NOT_APPLICABLE))
    with op.batch_alter_table("quarantine") as batch:
        batch.alter_column("resolved_load_key", existing_type=BigKey, nullable=False)
        batch.create_foreign_key(
            op.f("fk_quarantine_resolved_load_key"), "dim_load", ["resolved_load_key"], ["load_key"]
        )
