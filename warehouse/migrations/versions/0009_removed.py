"""Injected and hidden passages by their place in the text.

Of documents of before only the number is known; reading them again learns the rest.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from warehouse.columns import BigKey

revision = "0009"
down_revision = "0008"

RESERVED = {-1: "(unknown)", -2: "(not applicable)"}


def upgrade() -> None:
    op.add_column("dim_document", sa.Column("removed", sa.Text()))
    document = sa.table("dim_document", sa.column("document_key", BigKey), sa.column("removed", sa.Text()))
    op.execute(document.update().values(removed="[]"))
    for key, word in RESERVED.items():
        op.execute(document.update().where(document.c.document_key == key).values(removed=word))
    with op.batch_alter_table("dim_document") as batch:
        batch.alter_column("removed", existing_type=sa.Text(), nullable=False)
